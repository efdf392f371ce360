import type { Terminal } from '@xterm/xterm'
import { expect, it } from 'vitest'
import { fixInterrupt, isDisguisedInterrupt, scrollByTouch, scrollLines } from '@/terminal/shims'

type Handler = (event: KeyboardEvent) => boolean
type Modes = Partial<Terminal['modes']>
function terminal(type: 'normal' | 'alternate' = 'normal', modes: Modes = {}) {
  const seen = { input: '', lines: 0, handler: null as Handler | null }
  const fake = {
    rows: 10,
    buffer: { active: { type } },
    modes: { mouseTrackingMode: 'none', applicationCursorKeysMode: false, ...modes },
    input: (text: string) => (seen.input += text),
    scrollLines: (lines: number) => (seen.lines += lines),
    attachCustomKeyEventHandler: (handler: Handler) =>
      (seen.handler = handler),
  }
  return { fake: fake as unknown as Terminal, seen }
}
function key(over: KeyboardEventInit & { keyCode: number }): KeyboardEvent {
  const event = new KeyboardEvent('keydown', { cancelable: true, ...over })
  Object.defineProperty(event, 'keyCode', { value: over.keyCode })
  return event
}

it('turns an iPad’s Ctrl+C back from Enter into an interrupt', () => {
  const { fake, seen } = terminal()
  fixInterrupt(fake)
  const event = key({ key: 'c', ctrlKey: true, keyCode: 13 })
  expect(seen.handler?.(event)).toBe(false)
  expect(seen.input).toBe('\x03')
  expect(event.defaultPrevented).toBe(true)
})

it('leaves Enter, an honest Ctrl+C and Cmd+C alone', () => {
  expect(isDisguisedInterrupt(key({ key: 'Enter', keyCode: 13 }))).toBe(false)
  expect(isDisguisedInterrupt(key({ key: 'c', ctrlKey: true, keyCode: 67 }))).toBe(false)
  expect(isDisguisedInterrupt(key({ key: 'c', metaKey: true, keyCode: 13 }))).toBe(false)
})

it('scrolls the scrollback', () => {
  const { fake, seen } = terminal()
  scrollLines(fake, -3)
  expect(seen).toMatchObject({ lines: -3, input: '' })
})

it.each([
  ['arrows', {}, '\x1b[A\x1b[A'],
  ['application arrows', { applicationCursorKeysMode: true }, '\x1bOA\x1bOA'],
  ['the wheel', { mouseTrackingMode: 'any' as const }, '\x1b[<64;1;1M\x1b[<64;1;1M'],
])('in a full-screen program it sends %s', (_what, modes, sends) => {
  const { fake, seen } = terminal('alternate', modes)
  scrollLines(fake, -2)
  expect(seen.input).toBe(sends)
})

it('a finger moves the lines it passes, and the page stays', () => {
  const { fake, seen } = terminal()
  const host = document.createElement('div')
  Object.defineProperty(host, 'clientHeight', { value: 200 })
  scrollByTouch(fake, host)
  const touch = (type: string, y: number, at: number) => {
    const event = new Event(type, { cancelable: true })
    Object.defineProperty(event, 'touches', { value: [{ clientY: y }] })
    Object.defineProperty(event, 'timeStamp', { value: at })
    host.dispatchEvent(event)
    return event
  }
  touch('touchstart', 150, 0)
  touch('touchmove', 100, 20)
  expect(touch('touchmove', 45, 40).defaultPrevented).toBe(true)
  expect(seen.lines).toBe(5)
})
