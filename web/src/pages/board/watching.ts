/** A student's terminal as their trainer sees it: in the student's size, typing when joined. */
import { shallowReactive } from 'vue'
import { ApiProblem } from '@/api/problem'
import { watchTicket } from '@/api/telling'
import type { StudentPlace } from '@/api/trainer'
import { chance } from '@/chance'
import { lines } from '@/terminal/directly'
import { TerminalLink, TicketRefused, type LinkState, type LinkWorld } from '@/terminal/link'
import { Screen } from '@/terminal/screen'
import { watchWakeups } from '@/terminal/wakeups'

/** `join`: whether the next ticket is one to type with. */
export function watchingWorld(
  place: StudentPlace,
  terminal: string,
  join: () => boolean,
): LinkWorld {
  const { lead, socket } = lines()
  return {
    ticket: async (signal) => {
      try {
        return lead(await watchTicket(place, { join: join(), terminal }, signal))
      } catch (error) {
        throw refusal(error) ?? error
      }
    },
    socket,
    now: () => Date.now(),
    after: (ms, then) => {
      const timer = setTimeout(then, ms)
      return () => clearTimeout(timer)
    },
    chance,
  }
}

function refusal(error: unknown): TicketRefused | null {
  if (!(error instanceof ApiProblem) || error.passing) return null
  if (error.status === 404 || error.status === 410) return new TicketRefused({ kind: 'gone' })
  return new TicketRefused({ kind: 'refused', reason: error.title })
}

export type Watched = {
  state: LinkState
  writer: boolean
  columns: number
  rows: number
  /** What the student has opened beside the lab's own terminals. */
  shells: readonly string[]
}

export class WatchSession {
  readonly view: Watched = shallowReactive({
    state: { name: 'idle' },
    writer: false,
    columns: 80,
    rows: 24,
    shells: [],
  })
  readonly screen: Screen
  readonly link: TerminalLink
  private readonly unwatch: () => void
  private joining = false

  constructor(place: StudentPlace, terminal: string, fontSize: number, screenReader: boolean) {
    const { view } = this
    this.screen = new Screen(
      {
        typed: (bytes) => view.writer && this.joining && this.link.type(bytes),
        resized: () => undefined, // the size is the student's; a guest does not change it
      },
      fontSize,
      screenReader,
    )
    const screen = {
      write: (bytes: Uint8Array, drawn: () => void) => this.screen.write(bytes, drawn),
      reset: () => this.screen.reset(),
      size: () => ({ columns: view.columns, rows: view.rows }),
    }
    const world = watchingWorld(place, terminal, () => this.joining)
    this.link = new TerminalLink(terminal, world, screen, {
      state: (state) => (view.state = state),
      writer: (may) => (view.writer = may),
      shells: (names) => (view.shells = names),
      size: (columns, rows) => {
        this.screen.adopt(columns, rows)
        Object.assign(view, { columns, rows })
      },
    })
    this.unwatch = watchWakeups({ wake: () => this.link.wake(), sleep: () => this.link.sleep() })
    this.link.start()
  }

  /** Type with the student, or only look on again: a new ticket, the same screen. */
  join(on: boolean): void {
    this.joining = on
    if (!on) this.view.writer = false
    if (this.view.state.name === 'ended') this.link.start()
    else this.link.retryNow()
  }

  dispose(): void {
    this.unwatch()
    this.link.stop()
    this.screen.dispose()
  }
}
