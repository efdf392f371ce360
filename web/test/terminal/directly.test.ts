import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const DIRECT = 'wss://192.0.2.7/agent/terminal'
const RELAY = 'wss://portal.test/relay/terminal'
type Fake = EventTarget & { close: () => void }
let sockets: Fake[] = []

beforeEach(() => {
  sockets = []
  vi.resetModules()
  vi.stubGlobal(
    'WebSocket',
    class extends EventTarget {
      constructor(readonly url: string) {
        super()
        sockets.push(this)
      }
      close() {
        this.dispatchEvent(new Event('close'))
      }
    },
  )
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

async function dialled() {
  const { lines, way } = await import('@/terminal/directly')
  const line = lines()
  const preview = () => way({ url: 'https://192.0.2.7:8443/', relay: 'https://portal.test/' })
  return {
    preview,
    dial(relay: string | null = RELAY) {
      const { url } = line.lead({ url: DIRECT, relay })
      line.socket(url)
      return url
    },
    hangUp: () => sockets.at(-1)!.close(),
    happens: (what: string) => sockets.at(-1)!.dispatchEvent(new Event(what)),
  }
}

test('after two lines that did not open, lines and previews go through the portal', async () => {
  const { dial, happens, preview } = await dialled()
  expect(dial()).toBe(DIRECT)
  happens('close')
  expect(dial()).toBe(DIRECT)
  expect(preview()).toBe('https://192.0.2.7:8443/')
  happens('close')
  expect(dial()).toBe(RELAY)
  expect(preview()).toBe('https://portal.test/')
  happens('close')
  expect(dial()).toBe(RELAY)
})

test('a line that was open and is lost is tried again the same way', async () => {
  const { dial, happens } = await dialled()
  for (let n = 0; n < 4; n += 1) {
    expect(dial()).toBe(DIRECT)
    happens('open')
    happens('close')
  }
})

test('a lab of our own host has one way only', async () => {
  const { dial, happens } = await dialled()
  for (let n = 0; n < 4; n += 1) {
    expect(dial(null)).toBe(DIRECT)
    happens('close')
  }
})

test('without a network nothing is learnt about ways', async () => {
  const { dial, happens } = await dialled()
  vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
  for (let n = 0; n < 4; n += 1) {
    expect(dial()).toBe(DIRECT)
    happens('close')
  }
})

test('lines that we leave before they could open say nothing', async () => {
  const { dial, hangUp } = await dialled()
  for (let n = 0; n < 4; n += 1) {
    expect(dial()).toBe(DIRECT)
    hangUp()
  }
})

test('a line that we gave up after seconds did not open', async () => {
  const { dial, hangUp } = await dialled()
  vi.useFakeTimers()
  for (let n = 0; n < 2; n += 1) {
    expect(dial()).toBe(DIRECT)
    vi.advanceTimersByTime(4_000)
    hangUp()
  }
  expect(dial()).toBe(RELAY)
})

test('a line that hung while the page was asleep says nothing', async () => {
  const { dial, happens, hangUp } = await dialled()
  vi.useFakeTimers()
  for (const over of [hangUp, () => happens('close'), hangUp]) {
    expect(dial()).toBe(DIRECT)
    vi.advanceTimersByTime(60_000)
    over()
  }
  expect(dial()).toBe(DIRECT)
})
