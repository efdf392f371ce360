import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { dialAhead } from '@/terminal/ahead'
import { browserWorld } from '@/terminal/world'
import { until } from '../until'
import { Scene, settle } from './world'

const PLACE = { classId: 'c', lab: 'l' }
let tickets = 0
let dialled: Line[] = []

class Line extends EventTarget {
  static readonly OPEN = 1
  readyState = 0
  constructor(readonly url: string) {
    super()
    dialled.push(this)
  }
  close() {}
}

beforeEach(() => {
  tickets = 0
  dialled = []
  vi.stubGlobal('WebSocket', Line)
  vi.stubGlobal('fetch', async () => {
    tickets += 1
    const body = { ticket: `t${tickets}`, url: 'ws://lab/agent/terminal', now: Date.now() }
    const headers = { 'content-type': 'application/json' }
    return new Response(JSON.stringify(body), { headers })
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})
const given = () => until(() => dialled.length === 1)
const signal = new AbortController().signal

it('hands the line that is under way to the first who asks, and no other', async () => {
  const world = browserWorld(PLACE, 'terminal', dialAhead(PLACE))
  await given()
  const { ticket, url } = await world.ticket(signal)
  expect([ticket, tickets]).toEqual(['t1', 1])
  expect(world.socket(url)).toBe(dialled[0])
  expect((await world.ticket(signal)).ticket).toBe('t2')
  expect(world.socket(url)).toBe(dialled[1])
})

it('dials anew where the line is closed by then, and asks anew for what is old', async () => {
  const ahead = dialAhead(PLACE)
  await given()
  dialled[0]!.readyState = 3
  const world = browserWorld(PLACE, 'terminal', ahead)
  const { ticket, url } = await world.ticket(signal)
  expect(ticket).toBe('t1')
  expect(world.socket(url)).toBe(dialled[1])
  const old = dialAhead(PLACE)
  await until(() => dialled.length === 3)
  const later = Date.now() + 31_000
  vi.spyOn(Date, 'now').mockReturnValue(later)
  expect(old.ticket()).toBeUndefined()
})

it('asks again, as ever, where the ticket was not to be had', async () => {
  const real = globalThis.fetch
  vi.stubGlobal('fetch', async () => new Response('', { status: 503 }))
  const world = browserWorld(PLACE, 'terminal', dialAhead(PLACE))
  await expect(world.ticket(signal)).rejects.toMatchObject({ status: 503 })
  vi.stubGlobal('fetch', real)
  expect((await world.ticket(signal)).ticket).toBe('t1')
})

it('opens a line that is open already', async () => {
  const scene = new Scene()
  scene.opened = true
  scene.link.start()
  await settle()
  expect(scene.socket.opening).toMatchObject({ ticket: 't1', terminal: 'main' })
  scene.socket.hello()
  expect(scene.link.state.name).toBe('open')
})
