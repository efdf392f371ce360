import { expect, it } from 'vitest'
import { FilesLink, FilesProblem, type FilesState } from '@/files/link'
import { filesOver } from '@/files/files'
import { TicketRefused } from '@/terminal/link'
import { settle, Socket, Time } from '../terminal/world'

class Scene {
  readonly time = new Time()
  readonly sockets: Socket[] = []
  readonly states: FilesState[] = []
  refuse: Error | null = null
  readonly link = new FilesLink(
    {
      ticket: async () => {
        if (this.refuse) throw this.refuse
        return { ticket: `t${this.sockets.length + 1}`, url: 'ws://x/agent/files' }
      },
      socket: () => {
        const socket = new Socket()
        this.sockets.push(socket)
        return socket
      },
      now: () => this.time.now,
      after: this.time.after,
      chance: () => 0.5,
    },
    (state) => this.states.push(state),
  )
  get socket(): Socket {
    return this.sockets[this.sockets.length - 1]!
  }
  async open(): Promise<void> {
    this.link.start()
    await settle()
    this.greets()
  }
  greets(): void {
    this.socket.opens()
    this.socket.says('{"type": "hello", "machines": ["lab"]}')
  }
  /** Requests sent on the present socket, after the ticket. */
  get asked(): { id: number; op: string; [more: string]: unknown }[] {
    return this.socket.sent.slice(1).map((text) => JSON.parse(text as string))
  }
  answers(id: number, more: object): void {
    this.socket.says(JSON.stringify({ id, ok: true, ...more }))
  }
}
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error: FilesProblem) => error.kind,
  )

it('sends the ticket first and matches answers by number', async () => {
  const scene = new Scene()
  await scene.open()
  expect(scene.socket.sent[0]).toBe('{"ticket":"t1"}')
  const one = scene.link.ask({ op: 'list', machine: 'lab', path: '/a' })
  const two = scene.link.ask({ op: 'list', machine: 'lab', path: '/b' })
  const [first, second] = scene.asked
  scene.answers(second!.id, { path: '/b' })
  scene.answers(first!.id, { path: '/a' })
  expect([(await one).path, (await two).path]).toEqual(['/a', '/b'])
})

it('keeps what is asked before the line is there', async () => {
  const scene = new Scene()
  const asked = scene.link.ask({ op: 'mkdir', machine: 'lab', path: '/a' })
  await scene.open()
  scene.answers(scene.asked[0]!.id, {})
  await expect(asked).resolves.toMatchObject({ ok: true })
})

it('asks again after a drop what does no harm, and says of the rest that it is lost', async () => {
  const scene = new Scene()
  await scene.open()
  const read = scene.link.ask({ op: 'read', machine: 'lab', path: '/a' })
  const removed = failure(scene.link.ask({ op: 'remove', machine: 'lab', path: '/a' }))
  scene.socket.ends(1006)
  expect(await removed).toBe('lost')
  expect(scene.link.state).toBe('waiting')
  await scene.time.pass(150)
  scene.greets()
  expect(scene.asked.map(({ op }) => op)).toEqual(['read'])
  scene.answers(scene.asked[0]!.id, { size: 1 })
  expect((await read).size).toBe(1)
})

it('tells kinds of problems', async () => {
  const scene = new Scene()
  await scene.open()
  const asked = failure(scene.link.ask({ op: 'read', machine: 'lab', path: '/a' }))
  const answer = { id: scene.asked[0]!.id, ok: false, kind: 'missing', problem: 'not there' }
  scene.socket.says(JSON.stringify(answer))
  expect(await asked).toBe('missing')
})

it('ends with the sandbox, and whoever waits is told', async () => {
  const scene = new Scene()
  await scene.open()
  const asked = failure(scene.link.ask({ op: 'read', machine: 'lab', path: '/a' }))
  scene.socket.ends(4410, 'time is up')
  expect([await asked, scene.link.state]).toEqual(['gone', 'ended'])
  expect(await failure(scene.link.ask({ op: 'list', machine: 'lab' }))).toBe('gone')
  await scene.time.pass(60_000)
  expect(scene.sockets).toHaveLength(1)
})

it('does not ask for ever where the lab is gone', async () => {
  const scene = new Scene()
  scene.refuse = new TicketRefused({ kind: 'gone' })
  scene.link.start()
  await settle()
  expect(scene.link.state).toBe('ended')
})

it('tries again after failures, also without a ticket', async () => {
  const scene = new Scene()
  scene.refuse = new Error('503')
  scene.link.start()
  await settle()
  expect(scene.link.state).toBe('waiting')
  scene.refuse = null
  await scene.time.pass(200)
  scene.greets()
  expect(scene.link.state).toBe('open')
})

it('notices a line that is dead without saying so', async () => {
  const scene = new Scene()
  await scene.open()
  await scene.time.pass(10_000)
  expect(scene.asked).toEqual([{ id: 0, op: 'ping' }])
  await scene.time.pass(10_000)
  expect(scene.sockets.length).toBeGreaterThan(1)
  expect(scene.sockets[0]!.closed).toBe(true)
})

it('has no timers while hidden, and is back when looked at', async () => {
  const scene = new Scene()
  await scene.open()
  scene.link.sleep()
  scene.socket.ends(1006)
  await scene.time.pass(60_000)
  expect([scene.sockets.length, scene.time.waiting]).toEqual([1, 0])
  scene.link.wake()
  await settle()
  scene.greets()
  expect(scene.link.state).toBe('open')
})

it('carries any text as bytes, there and back', async () => {
  const scene = new Scene()
  await scene.open()
  const files = filesOver(scene.link)
  const text = `\ufeffgrün 🌱\r\n${'x'.repeat(100_000)}`
  const written = files.write('lab', '/a', text, null)
  const { id, data, version } = scene.asked[0]!
  expect([Buffer.from(String(data), 'base64').toString('utf8') === text, version]).toEqual(
    [true, 'any'],
  )
  scene.answers(id, { version: 'v2' })
  expect(await written).toBe('v2')
  const read = files.read('lab', '/a')
  const raw = { size: 1, large: false, binary: false, data, version: 'v2', writable: true }
  scene.answers(scene.asked[1]!.id, raw)
  expect(await read).toEqual({ kind: 'text', text, version: 'v2', writable: true })
})
