/**
 * The agent's side of the terminal protocol, small and honest, for tests and for looking at pages.
 * A shell outlives its sockets; a client that resumes gets what it missed.
 */
import type { WebSocket } from 'ws'

export type Opening = {
  ticket: string
  terminal: string
  columns: number
  rows: number
  since: number | null
  epoch: string | null
}

/** One terminal run: everything it ever printed, by sequence number. */
export class Shell {
  output = Buffer.alloc(0)
  readonly typed: Buffer[] = []
  readonly viewers = new Set<WebSocket>()
  columns = 80
  rows = 24
  onInput: (bytes: Buffer) => void = () => undefined
  onResize: () => void = () => undefined

  constructor(
    public epoch: string,
    readonly repaint: () => Buffer = () => Buffer.alloc(0),
  ) {}

  print(text: string | Buffer): void {
    const bytes = Buffer.from(text as string)
    this.output = Buffer.concat([this.output, bytes])
    for (const viewer of this.viewers) viewer.send(Buffer.concat([Buffer.of(0x00), bytes]))
  }

  event(event: object): void {
    const frame = Buffer.concat([Buffer.of(0x01), Buffer.from(JSON.stringify(event))])
    for (const viewer of this.viewers) viewer.send(frame)
  }
}

export class TerminalServer {
  readonly openings: Opening[] = []
  readonly acks: number[] = []
  readonly pings: number[] = []
  /** While true nothing is answered, as when a line is dead but not closed. */
  mute = false
  refuse: { code: number; reason: string } | null = null

  constructor(readonly shells: Map<string, Shell>) {}

  serve(socket: WebSocket): void {
    let shell: Shell | null = null
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (this.mute) return
      if (shell) this.frame(shell, socket, data)
      else if (!binary) shell = this.open(socket, JSON.parse(String(data)) as Opening)
    })
    socket.on('close', () => shell?.viewers.delete(socket))
  }

  drop(): void {
    for (const shell of this.shells.values()) {
      for (const viewer of shell.viewers) viewer.terminate()
      shell.viewers.clear()
    }
  }

  private open(socket: WebSocket, opening: Opening): Shell | null {
    this.openings.push(opening)
    if (this.refuse) {
      socket.close(this.refuse.code, this.refuse.reason)
      return null
    }
    const shell = this.shells.get(opening.terminal)
    if (!shell) {
      socket.close(4404, 'no such terminal')
      return null
    }
    const resumed = opening.epoch === shell.epoch && opening.since !== null
    const seq = resumed ? opening.since! : shell.output.length
    shell.viewers.add(socket)
    socket.send(
      JSON.stringify({
        type: 'hello',
        terminal: opening.terminal,
        epoch: shell.epoch,
        seq,
        resumed,
        columns: shell.columns,
        rows: shell.rows,
        viewers: shell.viewers.size,
        writer: true,
        ended: null,
      }),
    )
    if (!resumed) socket.send(Buffer.concat([Buffer.of(0x04), shell.repaint()]))
    const missed = shell.output.subarray(seq)
    if (missed.length > 0) socket.send(Buffer.concat([Buffer.of(0x00), missed]))
    return shell
  }

  private frame(shell: Shell, socket: WebSocket, data: Buffer): void {
    const rest = data.subarray(1)
    switch (data[0]) {
      case 0x00:
        shell.typed.push(Buffer.from(rest))
        return shell.onInput(rest)
      case 0x01:
        shell.columns = rest.readUInt16BE(0)
        shell.rows = rest.readUInt16BE(2)
        return shell.onResize()
      case 0x02:
        this.acks.push(Number(rest.readBigUInt64BE()))
        return
      case 0x03:
        this.pings.push(rest.length)
        socket.send(Buffer.concat([Buffer.of(0x03), rest]))
    }
  }
}
