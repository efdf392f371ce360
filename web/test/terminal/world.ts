/** A world for a link that obeys the test: its own time, tickets, sockets and screen. */
import type { LinkScreen, LinkSocket, LinkState, LinkWorld } from '@/terminal/link'
import { TerminalLink } from '@/terminal/link'
import type { Hello } from '@/terminal/frames'

export class Time {
  now = 1_000_000
  private timers: { at: number; then: () => void }[] = []

  after = (ms: number, then: () => void) => {
    const timer = { at: this.now + ms, then }
    this.timers.push(timer)
    return () => void (this.timers = this.timers.filter((one) => one !== timer))
  }
  get waiting(): number {
    return this.timers.length
  }
  /** Let time pass, timer by timer, with room for promises between them. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms
    for (;;) {
      const due = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.now = Math.max(this.now, due.at)
      this.timers = this.timers.filter((one) => one !== due)
      due.then()
      await settle()
    }
    this.now = end
  }
  /** The machine sleeps: the clock jumps and timers fire late, all at once. */
  async jump(ms: number): Promise<void> {
    this.now += ms
    await this.pass(0)
  }
}

export async function settle(): Promise<void> {
  for (let n = 0; n < 8; n += 1) await Promise.resolve()
}

export class Socket implements LinkSocket {
  binaryType: BinaryType = 'blob'
  readyState: number = WebSocket.CONNECTING
  onopen: LinkSocket['onopen'] = null
  onmessage: LinkSocket['onmessage'] = null
  onclose: LinkSocket['onclose'] = null
  onerror: LinkSocket['onerror'] = null
  readonly sent: (string | Uint8Array)[] = []
  closed = false

  send(data: Parameters<WebSocket['send']>[0]): void {
    this.sent.push(data as string | Uint8Array)
  }
  close(): void {
    this.closed = true
  }
  opens(): void {
    this.onopen?.call(this as unknown as WebSocket, new Event('open'))
  }
  says(data: string | ArrayBuffer): void {
    const event = new MessageEvent('message', { data })
    this.onmessage?.call(this as unknown as WebSocket, event)
  }
  ends(code: number, reason = ''): void {
    const event = Object.assign(new Event('close'), { code, reason, wasClean: false })
    this.onclose?.call(this as unknown as WebSocket, event as CloseEvent)
  }
  frame(op: number, payload: string | Uint8Array = ''): void {
    const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
    const all = new Uint8Array(1 + bytes.length)
    all[0] = op
    all.set(bytes, 1)
    this.says(all.buffer)
  }
  event(event: object): void {
    this.frame(0x01, JSON.stringify(event))
  }
  hello(over: Partial<Hello> = {}): void {
    const hello: Hello = {
      type: 'hello', terminal: 'main', epoch: 'one', seq: 0, resumed: false,
      columns: 80, rows: 24, viewers: 1, writer: true, ended: null, ...over,
    }
    this.says(JSON.stringify(hello))
  }
  /** Payloads of the binary frames sent with this opcode. */
  frames(op: number): Uint8Array[] {
    return this.sent
      .filter((one): one is Uint8Array => typeof one !== 'string' && one[0] === op)
      .map((one) => one.subarray(1))
  }
  get typed(): string {
    return this.frames(0x00).map((bytes) => new TextDecoder().decode(bytes)).join('')
  }
  get opening(): Record<string, unknown> {
    return JSON.parse(this.sent.find((one) => typeof one === 'string') as string)
  }
}

export class PaperScreen implements LinkScreen {
  text = ''
  resets = 0
  /** While false, nothing is drawn and the callbacks wait. */
  quick = true
  columns = 80
  rows = 24
  private undrawn: (() => void)[] = []

  write(bytes: Uint8Array, drawn: () => void): void {
    this.undrawn.push(() => {
      this.text += new TextDecoder().decode(bytes)
      drawn()
    })
    if (this.quick) this.draw()
  }
  draw(): void {
    this.undrawn.splice(0).forEach((one) => one())
  }
  reset(): void {
    this.undrawn.push(() => {
      this.text = ''
      this.resets += 1
    })
    if (this.quick) this.draw()
  }
  size(): { columns: number; rows: number } {
    return { columns: this.columns, rows: this.rows }
  }
}

export class Scene {
  readonly time = new Time()
  readonly sockets: Socket[] = []
  readonly states: LinkState[] = []
  readonly screen = new PaperScreen()
  waiting = ''
  full = false
  tickets = 0
  renewals = 0
  chance = 0.5
  /** Whether sockets are open when they come. */
  opened = false
  ticket: LinkWorld['ticket'] = async () => {
    this.tickets += 1
    return { ticket: `t${this.tickets}`, url: 'ws://lab/agent/terminal' }
  }
  readonly link = new TerminalLink(
    'main',
    {
      ticket: (signal) => this.ticket(signal),
      socket: () => {
        const socket = new Socket()
        if (this.opened) socket.readyState = WebSocket.OPEN
        this.sockets.push(socket)
        return socket
      },
      now: () => this.time.now,
      after: this.time.after,
      chance: () => this.chance,
    },
    this.screen,
    {
      state: (state) => this.states.push(state),
      renewed: () => (this.renewals += 1),
      typed: (waiting, full) => Object.assign(this, { waiting, full }),
    },
  )

  get socket(): Socket {
    return this.sockets.at(-1)!
  }
  get names(): string[] {
    return this.states.map(({ name }) => name)
  }
  type(text: string): void {
    this.link.type(new TextEncoder().encode(text))
  }
  /** Up to an open line. */
  async open(over: Partial<Hello> = {}): Promise<void> {
    this.link.start()
    await this.answer(over)
  }
  async answer(over: Partial<Hello> = {}): Promise<void> {
    await settle()
    this.socket.opens()
    this.socket.hello(over)
  }
}
