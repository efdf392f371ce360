import { afterEach, expect, it, vi } from 'vitest'
import { Screen } from '@/terminal/screen'

/** The room that the real xterm.js finds, for there is no layout here. */
function room(width: number, height: number): void {
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(width)
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(height)
}

afterEach(() => vi.restoreAllMocks())

it('has its input at the cursor, though all was written before it came into the page', async () => {
  const screen = new Screen({ typed: () => {}, resized: () => {} }, 15, false)
  const prompt = new TextEncoder().encode('hello\r\n$ ')
  await new Promise<void>((drawn) => screen.write(prompt, drawn))
  room(800, 480)
  const host = document.body.appendChild(document.createElement('div'))
  screen.open(host)
  const { left, top, width, height } = screen.terminal.textarea!.style
  expect([left, top, width, height]).toEqual(['20px', '20px', '10px', '20px'])
  screen.dispose()
})
