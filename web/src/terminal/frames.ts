/**
 * Frames of the terminal's WebSocket. First byte is the opcode; numbers are big-endian.
 * Output frames count in the sequence (`seq`, bytes of pty output since the terminal began),
 * repaint frames do not.
 */
const OUTPUT = 0x00
const EVENT = 0x01
const PONG = 0x03
const REPAINT = 0x04
const INPUT = 0x00
const RESIZE = 0x01
const ACK = 0x02
const PING = 0x03
const FINISH = 0x04

/** The server takes frames up to 64 KiB; half of that leaves room for any overhead. */
export const INPUT_BYTES_MAX = 32 * 1024

export type Hello = {
  type: 'hello'
  terminal: string
  epoch: string
  seq: number
  resumed: boolean
  columns: number
  rows: number
  viewers: number
  writer: boolean
  ended: ShellEnd | null
}
export type ShellEnd = { at: number }
/** Somebody at this terminal; `mine`: this very person, perhaps on another device. */
export type Viewer = { name: string; writer: boolean; mine: boolean }
export type TerminalEvent =
  | { type: 'resize'; columns: number; rows: number }
  | { type: 'viewers'; viewers: number; people: Viewer[] }
  | ({ type: 'ended' } & ShellEnd)
  | { type: 'notice'; text: string }
  | { type: 'shells'; names: string[] }
  | { type: 'skipped'; seq: number }
export type Frame =
  | { op: 'output' | 'repaint'; bytes: Uint8Array }
  | { op: 'pong' }
  | { op: 'event'; event: TerminalEvent }
  | { op: 'unknown' }

export type Opening = {
  ticket: string
  terminal: string
  columns: number
  rows: number
  since: number | null
  epoch: string | null
}

/** A frame as received, or `unknown` for opcodes a newer server may send. Throws on broken JSON. */
export function read(data: ArrayBuffer): Frame {
  const bytes = new Uint8Array(data)
  const rest = bytes.subarray(1)
  switch (bytes[0]) {
    case OUTPUT:
      return { op: 'output', bytes: rest }
    case REPAINT:
      return { op: 'repaint', bytes: rest }
    case PONG:
      return { op: 'pong' }
    case EVENT:
      return { op: 'event', event: JSON.parse(new TextDecoder().decode(rest)) as TerminalEvent }
    default:
      return { op: 'unknown' }
  }
}

export function readHello(data: unknown): Hello | null {
  if (typeof data !== 'string') return null
  const hello = JSON.parse(data) as Hello
  return hello.type === 'hello' ? hello : null
}

function frame(op: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1 + payload.length)
  bytes[0] = op
  bytes.set(payload, 1)
  return bytes
}

/** Input in as many frames as it needs; a large paste is several. */
export function input(bytes: Uint8Array): Uint8Array<ArrayBuffer>[] {
  const frames = []
  for (let at = 0; at < bytes.length; at += INPUT_BYTES_MAX) {
    frames.push(frame(INPUT, bytes.subarray(at, at + INPUT_BYTES_MAX)))
  }
  return frames
}

export function resize(columns: number, rows: number): Uint8Array<ArrayBuffer> {
  return frame(RESIZE, new Uint8Array([columns >> 8, columns & 255, rows >> 8, rows & 255]))
}

/** `seq`: all output before it is on the screen. */
export function ack(seq: number): Uint8Array<ArrayBuffer> {
  const payload = new DataView(new ArrayBuffer(8))
  payload.setBigUint64(0, BigInt(seq))
  return frame(ACK, new Uint8Array(payload.buffer))
}

export function ping(): Uint8Array<ArrayBuffer> {
  return frame(PING, new Uint8Array())
}

/** End the program; of one more shell only. */
export function finish(): Uint8Array<ArrayBuffer> {
  return frame(FINISH, new Uint8Array())
}
