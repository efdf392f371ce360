/**
 * The line to the files of a lab: requests, and an answer to each. It comes back by itself as a
 * terminal's does. What was asked meanwhile waits; what was on its way is asked again where asking
 * twice does no harm (a write names the version it replaces), else it fails as `lost`.
 */
import { backoff } from '@/terminal/backoff'
import { Heartbeat } from '@/terminal/heartbeat'
import { TicketRefused, type LinkEnd, type LinkSocket, type LinkWorld } from '@/terminal/link'

export type ProblemKind =
  | 'changed'
  | 'exists'
  | 'missing'
  | 'wrong_kind'
  | 'special'
  | 'denied'
  | 'large'
  | 'slow'
  | 'gone'
  | 'broken'
  | 'lost'
  | 'problem'
/** A request that failed: in a word for programs, and in the machine's words. */
export class FilesProblem extends Error {
  constructor(
    readonly kind: ProblemKind,
    text = '',
  ) {
    super(text)
  }
}
export type FilesState = 'idle' | 'connecting' | 'open' | 'waiting' | 'ended'
export type Ask = { op: string; machine: string; [more: string]: unknown }

type Waiting = {
  text: string
  again: boolean
  sent: boolean
  done: (answer: Record<string, unknown>) => void
  failed: (problem: FilesProblem) => void
}
const CONNECT_MS = 5_000
const AGAIN = new Set(['list', 'read', 'write'])

export class FilesLink {
  state: FilesState = 'idle'
  private readonly heart: Heartbeat
  private readonly waiting = new Map<number, Waiting>()
  private socket: LinkSocket | null = null
  private abort: AbortController | null = null
  private cancelTimer: (() => void) | null = null
  private number = 0
  private attempt = 0
  private asleep = false

  constructor(
    private readonly world: LinkWorld,
    private readonly tell: (state: FilesState) => void = () => undefined,
  ) {
    this.heart = new Heartbeat(world, {
      ping: () => this.socket?.send(JSON.stringify({ id: 0, op: 'ping' })),
      silent: () => undefined,
      lost: () => this.retryNow(),
    })
  }

  start(): void {
    if (this.state !== 'idle' && this.state !== 'ended') return
    this.attempt = 0
    void this.connect()
  }

  /** Leave for good; what waits for an answer gets none. */
  stop(kind: ProblemKind = 'gone', words = ''): void {
    if (this.state === 'ended') return
    this.hangUp()
    this.become('ended')
    const left = [...this.waiting.values()]
    this.waiting.clear()
    for (const one of left) one.failed(new FilesProblem(kind, words))
  }

  retryNow(): void {
    if (this.state === 'idle' || this.state === 'ended') return
    this.attempt = 0
    void this.connect()
  }

  wake(): void {
    this.asleep = false
    if (this.state === 'open') this.heart.probe()
    else if (this.state === 'waiting') this.retryNow()
  }

  sleep(): void {
    this.asleep = true
    this.heart.stop()
    if (this.state === 'waiting') this.cancelTimer?.()
  }

  /** Ask; the answer comes when the line is there. Rejects with a FilesProblem. */
  ask(request: Ask): Promise<Record<string, unknown>> {
    if (this.state === 'ended') return Promise.reject(new FilesProblem('gone'))
    const id = (this.number += 1)
    return new Promise((done, failed) => {
      const text = JSON.stringify({ id, ...request })
      const again = AGAIN.has(request.op)
      const one = { text, again, sent: false, done, failed }
      this.waiting.set(id, one)
      if (this.state === 'open') this.send(one)
    })
  }

  private become(state: FilesState): void {
    this.state = state
    this.tell(state)
  }

  private send(one: Waiting): void {
    one.sent = true
    this.socket?.send(one.text)
  }

  private hangUp(): void {
    this.heart.stop()
    this.cancelTimer?.()
    this.cancelTimer = null
    this.abort?.abort()
    this.abort = null
    const { socket } = this
    this.socket = null
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null
      socket.close()
    }
    for (const [id, one] of this.waiting) {
      if (!one.sent || one.again) continue
      this.waiting.delete(id)
      one.failed(new FilesProblem('lost'))
    }
  }

  private async connect(): Promise<void> {
    this.hangUp()
    const abort = (this.abort = new AbortController())
    this.become('connecting')
    this.cancelTimer = this.world.after(CONNECT_MS, () => this.lost())
    try {
      const { ticket, url } = await this.world.ticket(abort.signal)
      if (!abort.signal.aborted) this.dial(url, ticket)
    } catch (error) {
      if (abort.signal.aborted) return
      if (error instanceof TicketRefused) this.refused(error.end)
      else this.lost()
    }
  }

  private refused(end: LinkEnd): void {
    this.stop(end.kind === 'refused' ? 'denied' : 'gone', end.kind === 'refused' ? end.reason : '')
  }

  private dial(url: string, ticket: string): void {
    const socket = (this.socket = this.world.socket(url))
    socket.onopen = () => socket.send(JSON.stringify({ ticket }))
    socket.onmessage = ({ data }) => this.hear(String(data))
    socket.onclose = ({ code, reason }) => {
      // 4410: the sandbox is over; 4403, 4404: no ticket will change it.
      if (code === 4410 || code === 4403 || code === 4404) this.stop('gone', reason)
      else this.lost()
    }
    socket.onerror = () => undefined // a close always follows
  }

  private hear(text: string): void {
    this.heart.heard()
    let message: Record<string, unknown>
    try {
      message = JSON.parse(text) as Record<string, unknown>
    } catch {
      return this.lost()
    }
    if (message.type === 'hello') return this.greet()
    const one = this.waiting.get(Number(message.id))
    if (!one) return
    this.waiting.delete(Number(message.id))
    if (message.ok === true) one.done(message)
    else one.failed(new FilesProblem(message.kind as ProblemKind, String(message.problem)))
  }

  private greet(): void {
    this.cancelTimer?.()
    this.cancelTimer = null
    this.attempt = 0
    this.become('open')
    for (const one of this.waiting.values()) this.send(one)
    if (!this.asleep) this.heart.start()
  }

  private lost(): void {
    this.hangUp()
    this.attempt += 1
    this.become('waiting')
    if (this.asleep) return
    const wait = backoff(this.attempt, this.world.chance)
    this.cancelTimer = this.world.after(wait, () => void this.connect())
  }
}
