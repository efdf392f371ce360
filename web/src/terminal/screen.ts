/** The screen of one terminal: xterm.js with our colours, shims, links and a fitting size. */
import { FitAddon } from '@xterm/addon-fit'
import { WebLinksAddon } from '@xterm/addon-web-links'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { painted } from '@/paint'
import type { LinkScreen } from './link'
import { palette } from './palette'
import { fixInterrupt, placeInput, scrollByTouch } from './shims'
import { accelerate } from './webgl'

const SCROLLBACK_LINES = 5_000

export type ScreenSays = {
  typed: (bytes: Uint8Array) => void
  resized: (columns: number, rows: number) => void
  title?: (text: string) => void
}

export class Screen implements LinkScreen {
  readonly terminal: Terminal
  private readonly element = Object.assign(document.createElement('div'), { className: 'h-full' })
  private readonly fitter = new FitAddon()
  private readonly encoder = new TextEncoder()
  private observer: ResizeObserver | null = null
  private unscroll: (() => void) | null = null
  private wanted = { columns: 80, rows: 24 }

  constructor(
    private readonly says: ScreenSays,
    fontSize: number,
    screenReader: boolean,
  ) {
    this.terminal = new Terminal({
      theme: palette,
      fontFamily: '"JetBrains Mono Variable", ui-monospace, "SFMono-Regular", Menlo, monospace',
      fontSize,
      lineHeight: 1.25,
      cursorBlink: true,
      cursorStyle: 'bar',
      cursorWidth: 2,
      cursorInactiveStyle: 'bar',
      scrollback: SCROLLBACK_LINES,
      minimumContrastRatio: 4.5,
      macOptionIsMeta: true,
      rightClickSelectsWord: false,
      screenReaderMode: screenReader,
      allowProposedApi: false,
    })
    this.terminal.loadAddon(this.fitter)
    this.terminal.loadAddon(new WebLinksAddon(openLink))
    this.terminal.onData((text) => says.typed(this.encoder.encode(text)))
    this.terminal.onBinary((text) => says.typed(Uint8Array.from(text, (c) => c.charCodeAt(0))))
    if (says.title) this.terminal.onTitleChange(says.title)
    fixInterrupt(this.terminal)
  }

  /** Put it into the page, when `host` has a size and the font is loaded; also again elsewhere. */
  open(host: HTMLElement): void {
    host.append(this.element)
    if (!this.unscroll) {
      this.terminal.open(this.element)
      this.unscroll = scrollByTouch(this.terminal, this.element)
      void painted().then(() => accelerate(this.terminal)) // asking for a card takes its time
    }
    this.observer = new ResizeObserver(() => this.fit())
    this.observer.observe(host)
    this.element.addEventListener('focusin', this.reclaim)
    this.fit()
    placeInput(this.terminal)
  }

  /** Whoever works here gets their own size back from another viewer. */
  private readonly reclaim = (): void => {
    const { columns, rows } = this.wanted
    if (this.terminal.cols === columns && this.terminal.rows === rows) return
    this.terminal.resize(columns, rows)
    this.says.resized(columns, rows)
  }

  /** Out of the page, to come back with everything on it. */
  leave(): void {
    this.observer?.disconnect()
    this.element.remove()
  }

  fit(): void {
    const room = this.fitter.proposeDimensions()
    if (!room || !(room.cols > 1) || !(room.rows > 1)) return // hidden: keep the last size
    const same = room.cols === this.wanted.columns && room.rows === this.wanted.rows
    this.wanted = { columns: room.cols, rows: room.rows }
    this.terminal.resize(room.cols, room.rows)
    if (!same) this.says.resized(room.cols, room.rows)
  }

  /** The size the shell really has, where another viewer decided it. */
  adopt(columns: number, rows: number): void {
    if (columns < 2 || rows < 2) return
    if (columns === this.terminal.cols && rows === this.terminal.rows) return
    this.terminal.resize(columns, rows)
  }

  setFontSize(pixels: number): void {
    this.terminal.options.fontSize = pixels
    this.fit()
  }

  write(bytes: Uint8Array, drawn: () => void): void {
    this.terminal.write(bytes, drawn)
  }

  reset(): void {
    // In order with what was written before it.
    this.terminal.write('', () => this.terminal.reset())
  }

  size(): { columns: number; rows: number } {
    return this.wanted
  }

  /** All that is on the screen and above it, as plain text; lines that were wrapped are whole. */
  text(): string {
    const { active } = this.terminal.buffer
    let text = ''
    for (let at = 0; at < active.length; at += 1) {
      const line = active.getLine(at)
      if (!line) continue
      const goesOn = active.getLine(at + 1)?.isWrapped ?? false
      text += line.translateToString(!goesOn) + (goesOn ? '' : '\n')
    }
    return text.trimEnd()
  }

  focus(): void {
    this.terminal.focus()
  }

  dispose(): void {
    this.leave()
    this.unscroll?.()
    this.terminal.dispose()
  }
}

function openLink(_event: MouseEvent, address: string): void {
  window.open(address, '_blank', 'noopener,noreferrer')
}
