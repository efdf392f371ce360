/**
 * The line between one terminal on the screen and its shell. The shell outlives the line: a drop
 * is followed by a reconnect that resumes at the byte we had, and the screen is never thrown away.
 *
 *   idle -> connecting -> open <-> stale
 *              ^            |        |
 *              +-- waiting <+--------+        any of them -> ended
 */
import { backoff } from './backoff'
import { Flow } from './flow'
import * as frames from './frames'
import { Heartbeat, type After } from './heartbeat'
import { Typed } from './typed'

export type LinkEnd =
  | { kind: 'exited' }
  | { kind: 'gone' }
  | { kind: 'crowded' }
  | { kind: 'refused'; reason: string }
export type LinkState =
  | { name: 'idle' }
  | { name: 'connecting'; attempt: number }
  | { name: 'open' }
  | { name: 'stale' }
  | { name: 'waiting'; attempt: number; retryAt: number | null }
  | { name: 'ended'; end: LinkEnd }

/** Thrown by `LinkWorld.ticket` when asking again is useless. */
export class TicketRefused extends Error {
  constructor(readonly end: LinkEnd) {
    super(end.kind)
  }
}

export type LinkSocket = Pick<
  WebSocket,
  'send' | 'close' | 'readyState' | 'binaryType' | 'onopen' | 'onmessage' | 'onclose' | 'onerror'
>
export type LinkWorld = {
  ticket: (signal: AbortSignal) => Promise<{ ticket: string; url: string }>
  socket: (url: string) => LinkSocket
  now: () => number
  after: After
  chance: () => number
}
/** `reset` takes effect in order with `write`; `drawn` is called when the bytes are on screen. */
export type LinkScreen = {
  write: (bytes: Uint8Array, drawn: () => void) => void
  reset: () => void
  size: () => { columns: number; rows: number }
}
export type LinkListener = {
  state?: (state: LinkState) => void
  typed?: (waiting: string, full: boolean) => void
  size?: (columns: number, rows: number) => void
  writer?: (may: boolean) => void
  company?: (viewers: frames.Viewer[]) => void
  /** The shells beside the lab's own terminals that run now. */
  shells?: (names: string[]) => void
  notice?: (text: string) => void
  /** The line is back, but to another run of the shell: what ran in the old one is over. */
  renewed?: () => void
}

/** `WebSocket.OPEN`. */
const OPEN = 1
const CONNECT_MS = 5_000
const ACK_AFTER_MS = 80
const STEADY_MS = 5_000
const NOT_THERE_TRIES = 3

export class TerminalLink {
  state: LinkState = { name: 'idle' }
  private readonly flow = new Flow()
  private readonly typed = new Typed()
  private readonly heart: Heartbeat
  private socket: LinkSocket | null = null
  private abort: AbortController | null = null
  private cancelTimer: (() => void) | null = null
  private cancelAck: (() => void) | null = null
  private attempt = 0
  private begunAt = 0
  private openedAt = 0
  private asleep = false

  constructor(
    private readonly terminal: string,
    private readonly world: LinkWorld,
    private readonly screen: LinkScreen,
    private readonly tell: LinkListener = {},
  ) {
    this.heart = new Heartbeat(world, {
      ping: () => this.socket?.send(frames.ping()),
      silent: () => this.become({ name: 'stale' }),
      lost: () => this.retryNow(),
    })
  }

  /** Begin, or begin again after an end (a new shell where the old one exited). */
  start(): void {
    if (this.state.name !== 'idle' && this.state.name !== 'ended') return
    this.attempt = 0
    void this.connect()
  }

  /** Leave for good: the page is closing or the sandbox is over. */
  stop(end: LinkEnd = { kind: 'gone' }): void {
    if (this.state.name === 'ended') return
    this.hangUp()
    this.typed.drop()
    this.tell.typed?.('', false)
    this.become({ name: 'ended', end })
  }

  /** Connect at once, whatever the backoff says. */
  retryNow(): void {
    if (this.state.name === 'idle' || this.state.name === 'ended') return
    this.attempt = 0
    void this.connect()
  }

  /** The page became visible, came back from the cache, or the network returned. */
  wake(): void {
    this.asleep = false
    const { name } = this.state
    if (name === 'open') this.heart.probe()
    else if (name === 'stale' || name === 'waiting') this.retryNow()
    else if (name === 'connecting' && this.world.now() - this.begunAt > CONNECT_MS) this.retryNow()
  }

  /** The page is hidden: no timers, they would only drain the battery. */
  sleep(): void {
    this.asleep = true
    this.heart.stop()
    if (this.state.name !== 'waiting') return
    this.cancelTimer?.()
    this.become({ ...this.state, retryAt: null })
  }

  /** Keys and pastes. Sent when open; kept while away (up to 4 KiB); dropped when ended. */
  type(bytes: Uint8Array): void {
    const { name } = this.state
    if (name === 'open') return this.send(bytes)
    if (name === 'ended' || name === 'idle') return
    const fits = this.typed.add(bytes)
    this.tell.typed?.(this.typed.text, !fits)
  }

  /** End the program: only one more shell that this person has opened. */
  finish(): void {
    if (this.state.name === 'open') this.socket?.send(frames.finish())
  }

  resize(columns: number, rows: number): void {
    if (this.state.name === 'open') this.socket?.send(frames.resize(columns, rows))
  }

  private become(state: LinkState): void {
    this.state = state
    this.tell.state?.(state)
  }

  private send(bytes: Uint8Array): void {
    for (const one of frames.input(bytes)) this.socket?.send(one)
  }

  private hangUp(): void {
    this.heart.stop()
    this.cancelTimer?.()
    this.cancelAck?.()
    this.cancelTimer = this.cancelAck = null
    this.abort?.abort()
    this.abort = null
    const { socket } = this
    this.socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null
    socket.close()
  }

  private async connect(): Promise<void> {
    this.hangUp()
    const abort = (this.abort = new AbortController())
    this.begunAt = this.world.now()
    this.become({ name: 'connecting', attempt: this.attempt })
    this.cancelTimer = this.world.after(CONNECT_MS, () => this.lost())
    try {
      const { ticket, url } = await this.world.ticket(abort.signal)
      if (!abort.signal.aborted) this.dial(url, ticket)
    } catch (error) {
      if (abort.signal.aborted) return
      if (error instanceof TicketRefused) this.stop(error.end)
      else this.lost()
    }
  }

  private dial(url: string, ticket: string): void {
    const socket = (this.socket = this.world.socket(url))
    socket.binaryType = 'arraybuffer'
    const opened = () => {
      const opening: frames.Opening = {
        ticket,
        terminal: this.terminal,
        ...this.screen.size(),
        ...this.flow.resume,
      }
      socket.send(JSON.stringify(opening))
    }
    socket.onopen = opened
    socket.onmessage = ({ data }) => this.hear(data as string | ArrayBuffer)
    socket.onclose = ({ code, reason }) => this.closed(code, reason)
    socket.onerror = () => undefined // a close always follows
    if (socket.readyState === OPEN) opened() // it was dialled ahead
  }

  private hear(data: string | ArrayBuffer): void {
    try {
      if (typeof data === 'string') this.greet(data)
      else this.take(frames.read(data))
    } catch {
      this.lost() // broken JSON: this line is not to be trusted
    }
    this.heart.heard()
    if (this.state.name === 'stale') this.flush()
  }

  private greet(text: string): void {
    const hello = frames.readHello(text)
    if (!hello) return
    const before = this.flow.epoch
    if (this.flow.begin(hello)) this.screen.reset()
    this.cancelTimer?.()
    this.openedAt = this.world.now()
    // What was typed for a shell that is gone must not run in another one.
    if (before !== null && before !== hello.epoch) {
      this.typed.drop()
      this.tell.renewed?.()
    }
    this.tell.writer?.(hello.writer)
    this.tell.size?.(hello.columns, hello.rows)
    if (hello.ended) return this.stop({ kind: 'exited' })
    this.flush()
    const { columns, rows } = this.screen.size()
    if (columns !== hello.columns || rows !== hello.rows) this.resize(columns, rows)
    this.acknowledge(true)
    if (!this.asleep) this.heart.start()
  }

  /** Open (again): what was typed meanwhile goes first. */
  private flush(): void {
    this.become({ name: 'open' })
    if (!this.typed.empty) this.send(this.typed.take())
    this.tell.typed?.('', false)
  }

  private take(frame: frames.Frame): void {
    if (frame.op === 'event') return this.happened(frame.event)
    if (frame.op === 'repaint') return this.screen.write(frame.bytes, () => undefined)
    if (frame.op !== 'output') return
    const { fresh, drawn } = this.flow.take(frame.bytes)
    if (fresh.length === 0) return
    this.screen.write(fresh, () => {
      drawn()
      this.acknowledge(false)
    })
  }

  private acknowledge(final: boolean): void {
    const { name } = this.state
    // Also while stale: a server that waits for this would otherwise never speak again.
    const seq = name === 'open' || name === 'stale' ? this.flow.due(final) : null
    if (seq !== null) {
      this.cancelAck?.()
      this.cancelAck = null
      this.socket?.send(frames.ack(seq))
    } else if (!final && !this.cancelAck) {
      this.cancelAck = this.world.after(ACK_AFTER_MS, () => {
        this.cancelAck = null
        this.acknowledge(true)
      })
    }
  }

  private happened(event: frames.TerminalEvent): void {
    if (event.type === 'skipped') {
      this.flow.jump(event.seq)
      this.screen.reset()
    } else if (event.type === 'resize') this.tell.size?.(event.columns, event.rows)
    else if (event.type === 'notice') this.tell.notice?.(event.text)
    else if (event.type === 'ended') this.stop({ kind: 'exited' })
    else if (event.type === 'viewers') this.tell.company?.(event.people)
    else if (event.type === 'shells') this.tell.shells?.(event.names)
  }

  private closed(code: number, reason: string): void {
    if (code === 4410) return this.stop({ kind: 'gone' })
    if (code === 4409) return this.stop({ kind: 'crowded' })
    if (code === 4403) return this.stop({ kind: 'refused', reason })
    if (code === 4404 && this.attempt >= NOT_THERE_TRIES) return this.stop({ kind: 'gone' })
    this.lost()
  }

  /** This line is over; try again after a while. */
  private lost(): void {
    const steady = this.openedAt > 0 && this.world.now() - this.openedAt > STEADY_MS
    if (steady) this.attempt = 0
    this.openedAt = 0
    this.hangUp()
    this.attempt += 1
    const wait = backoff(this.attempt, this.world.chance)
    const retryAt = this.asleep ? null : this.world.now() + wait
    this.become({ name: 'waiting', attempt: this.attempt, retryAt })
    if (retryAt !== null) this.cancelTimer = this.world.after(wait, () => void this.connect())
  }
}
