/** One terminal of a lab as the page holds it: its screen and its line, while it is open. */
import { shallowReactive } from 'vue'
import { t } from '@/i18n'
import { withControl } from './latch'
import { TerminalLink, type LinkState, type LinkWorld } from './link'
import { Screen } from './screen'
import { watchWakeups } from './wakeups'

const NOTICE_MS = 8_000

export type TerminalView = {
  state: LinkState
  waiting: string
  full: boolean
  writer: boolean
  /** Names of other people who look at this terminal, and of those of them who may type. */
  watchers: string[]
  helpers: string[]
  /** Whether Control is held for the next key. */
  control: boolean
  notice: string
  everOpen: boolean
}

export class TerminalSession {
  readonly view: TerminalView = shallowReactive({
    state: { name: 'idle' },
    waiting: '',
    full: false,
    writer: true,
    watchers: [],
    helpers: [],
    control: false,
    notice: '',
    everOpen: false,
  })
  readonly screen: Screen
  readonly link: TerminalLink
  private readonly unwatch: () => void
  private hush: ReturnType<typeof setTimeout> | undefined

  constructor(readonly name: string, world: LinkWorld, fontSize: number, screenReader = false) {
    const { view } = this
    this.screen = new Screen(
      {
        typed: (bytes) => this.link.type(this.held(bytes)),
        resized: (columns, rows) => this.link.resize(columns, rows),
      },
      fontSize,
      screenReader,
    )
    this.link = new TerminalLink(name, world, this.screen, {
      state: (state) => {
        view.state = state
        if (state.name === 'open') view.everOpen = true
      },
      typed: (waiting, full) => Object.assign(view, { waiting, full }),
      size: (columns, rows) => this.screen.adopt(columns, rows),
      writer: (may) => (view.writer = may),
      company: (viewers) => {
        const others = viewers.filter(({ mine }) => !mine)
        view.watchers = others.map(({ name }) => name)
        view.helpers = others.filter(({ writer }) => writer).map(({ name }) => name)
      },
      notice: (text) => this.notice(text),
      renewed: () => this.notice(t('link.renewed')),
    })
    this.unwatch = watchWakeups({
      wake: () => this.link.wake(),
      sleep: () => this.link.sleep(),
    })
  }

  /** Press Control and keep it for the next key, or let it go. */
  hold(control: boolean): void {
    this.view.control = control
  }

  /** Together with Control, where that is held; it holds for one key. */
  private held(bytes: Uint8Array): Uint8Array {
    if (!this.view.control) return bytes
    this.view.control = false
    return new TextEncoder().encode(withControl(new TextDecoder().decode(bytes)))
  }

  /** A word for the person, shown for a while. */
  notice(text: string): void {
    this.view.notice = text
    clearTimeout(this.hush)
    this.hush = setTimeout(() => (this.view.notice = ''), NOTICE_MS)
  }

  /** Run a command line as if it had been typed. */
  run(command: string): void {
    if (command.includes('\n')) {
      this.screen.terminal.paste(command) // bracketed where the shell knows it
      return this.link.type(new TextEncoder().encode('\r'))
    }
    this.link.type(new TextEncoder().encode(`${command}\r`))
  }

  dispose(): void {
    this.unwatch()
    clearTimeout(this.hush)
    this.link.stop()
    this.screen.dispose()
  }
}
