/** One terminal of a lab as the page holds it: its screen and its line, while it is open. */
import { shallowReactive } from 'vue'
import * as calls from '@/api/calls'
import { ApiProblem } from '@/api/problem'
import { t } from '@/i18n'
import { chance } from '@/chance'
import { TerminalLink, TicketRefused, type LinkState, type LinkWorld } from './link'
import { Screen } from './screen'
import { watchWakeups } from './wakeups'

const NOTICE_MS = 8_000

export type TerminalView = {
  state: LinkState
  waiting: string
  full: boolean
  writer: boolean
  /** Names of those who look on and cannot type. */
  watchers: string[]
  notice: string
  everOpen: boolean
}

/** The real world of a link: tickets from the API, the browser's sockets, time and chance. */
export function browserWorld(place: calls.LabPlace): LinkWorld {
  return {
    ticket: async (signal) => {
      try {
        return await calls.ticket(place, { for: 'terminal' }, signal)
      } catch (error) {
        throw refusal(error) ?? error
      }
    },
    socket: (url) => new WebSocket(url),
    now: () => Date.now(),
    after: (ms, then) => {
      const timer = setTimeout(then, ms)
      return () => clearTimeout(timer)
    },
    chance,
  }
}

function refusal(error: unknown): TicketRefused | null {
  if (!(error instanceof ApiProblem)) return null
  if (error.status === 404 || error.status === 410) return new TicketRefused({ kind: 'gone' })
  const final = error.status === 401 || error.status === 403
  return final ? new TicketRefused({ kind: 'refused', reason: error.title }) : null
}

export class TerminalSession {
  readonly view: TerminalView = shallowReactive({
    state: { name: 'idle' },
    waiting: '',
    full: false,
    writer: true,
    watchers: [],
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
        typed: (bytes) => this.link.type(bytes),
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
        view.watchers = viewers.filter(({ writer }) => !writer).map(({ name }) => name)
      },
      notice: (text) => this.notice(text),
      renewed: () => this.notice(t('link.renewed')),
    })
    this.unwatch = watchWakeups({
      wake: () => this.link.wake(),
      sleep: () => this.link.sleep(),
    })
  }

  /** A word from the server, shown for a while. */
  private notice(text: string): void {
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
