/**
 * Things xterm.js 6.0.0 gets wrong; the first two go when 6.1 is out.
 * 1. It does not scroll by touch (xtermjs/xterm.js#5489).
 * 2. An iPad's hardware Ctrl+C arrives as keyCode 13 and would be sent as Enter (#5721).
 * 3. Its input is put where the cursor is only when the cursor moves: far outside of the page, and
 *    without a size, where all there is was written before the terminal came into the page.
 */
import type { Terminal } from '@xterm/xterm'

export const INTERRUPT = '\x03'
const FLING_DECAY = 0.94
const FLING_LEAST = 0.02
const ARROW = { up: '\x1b[A', down: '\x1b[B', appUp: '\x1bOA', appDown: '\x1bOB' }

/** Whether this key press is an iPad's Ctrl+C in disguise. */
export function isDisguisedInterrupt(event: KeyboardEvent): boolean {
  return (
    event.type === 'keydown' &&
    event.ctrlKey &&
    !event.altKey &&
    !event.metaKey &&
    event.key.toLowerCase() === 'c' &&
    event.keyCode === 13
  )
}

export function fixInterrupt(terminal: Terminal): void {
  terminal.attachCustomKeyEventHandler((event) => {
    if (!isDisguisedInterrupt(event)) return true
    event.preventDefault()
    terminal.input(INTERRUPT)
    return false
  })
}

/** Puts the input to the cursor, for what types, reads aloud or composes letters there. */
export function placeInput({ textarea, element, cols, rows, buffer }: Terminal): void {
  const grid = element?.querySelector('.xterm-screen')
  if (!textarea || !grid) return
  const width = grid.clientWidth / cols
  const height = grid.clientHeight / rows
  const { cursorX, cursorY } = buffer.active
  Object.assign(textarea.style, {
    left: `${Math.min(cursorX, cols - 1) * width}px`,
    top: `${cursorY * height}px`,
    width: `${width}px`,
    height: `${height}px`,
    lineHeight: `${height}px`,
  })
}

/** Scroll by whole lines: the scrollback, or (full-screen programs) wheel reports or arrow keys. */
export function scrollLines(terminal: Terminal, lines: number): void {
  if (lines === 0) return
  if (terminal.buffer.active.type === 'normal') return terminal.scrollLines(lines)
  const { mouseTrackingMode, applicationCursorKeysMode } = terminal.modes
  const up = lines < 0
  let key: string
  if (mouseTrackingMode !== 'none') key = `\x1b[<${up ? 64 : 65};1;1M`
  else if (applicationCursorKeysMode) key = up ? ARROW.appUp : ARROW.appDown
  else key = up ? ARROW.up : ARROW.down
  terminal.input(key.repeat(Math.abs(lines)))
}

/** One finger scrolls, with a fling. Returns what undoes it. */
export function scrollByTouch(terminal: Terminal, host: HTMLElement): () => void {
  let lastY = 0
  let lastAt = 0
  let speed = 0 // px per ms
  let rest = 0 // px not yet worth a line
  let frame = 0
  const lineHeight = () => host.clientHeight / terminal.rows || 17
  function move(pixels: number): void {
    rest += pixels
    const lines = Math.trunc(rest / lineHeight())
    rest -= lines * lineHeight()
    scrollLines(terminal, lines)
  }
  function fling(before: number): void {
    frame = requestAnimationFrame((now) => {
      move(speed * (now - before))
      speed *= FLING_DECAY
      if (Math.abs(speed) > FLING_LEAST) fling(now)
    })
  }
  function start(event: TouchEvent): void {
    cancelAnimationFrame(frame)
    lastY = event.touches[0]?.clientY ?? 0
    lastAt = event.timeStamp
    speed = rest = 0
  }
  function drag(event: TouchEvent): void {
    const y = event.touches[0]?.clientY
    if (y === undefined || event.touches.length > 1) return
    event.preventDefault()
    const passed = Math.max(1, event.timeStamp - lastAt)
    speed = 0.7 * ((lastY - y) / passed) + 0.3 * speed
    move(lastY - y)
    lastY = y
    lastAt = event.timeStamp
  }
  function end(event: TouchEvent): void {
    if (event.timeStamp - lastAt < 60 && Math.abs(speed) > FLING_LEAST) fling(performance.now())
  }
  host.style.touchAction = 'none'
  host.addEventListener('touchstart', start, { passive: true })
  host.addEventListener('touchmove', drag, { passive: false })
  host.addEventListener('touchend', end, { passive: true })
  return () => {
    cancelAnimationFrame(frame)
    host.removeEventListener('touchstart', start)
    host.removeEventListener('touchmove', drag)
    host.removeEventListener('touchend', end)
  }
}
