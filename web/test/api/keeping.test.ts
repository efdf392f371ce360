import { VueQueryPlugin, type QueryClient } from '@tanstack/vue-query'
import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { defineComponent } from 'vue'
import type { SandboxNow } from '@/api/types'
import { view } from '../views'

// Pages of other files may still ask for something; their weather is not ours.
vi.resetModules()
const queries = await import('@/api/queries')
const { useCheck, useWatch } = await import('@/api/guide')
const { keepLookout } = await import('@/api/lookout')
const { retryDelay, worthKeeping, worthRetrying } = await import('@/api/patience')
const { ApiProblem, noAnswer, problemOf } = await import('@/api/problem')
const { watchReturns } = await import('@/api/returning')
const { weather } = await import('@/api/weather')
const { serverClock } = await import('@/clock')
const { pieceIsLost, whenPieceIsLost } = await import('@/reloading')

const place = { classId: 'c1', lab: 'web' }
let stop: () => void = () => undefined
beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  stop()
  stop = () => undefined
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
const now = (over: Partial<SandboxNow>): SandboxNow =>
  ({ sandbox: null, progress: null, messages: [], now: Date.now(), look_ms: 5_000, ...over })

/** A server that can be away, and remembers what reached it. */
function service(answer: (line: string) => Response) {
  const world = { away: false, reached: [] as string[] }
  vi.stubGlobal('fetch', async (request: Request) => {
    if (world.away) throw new TypeError('Failed to fetch')
    const line = `${request.method} ${new URL(request.url).pathname}`
    world.reached.push(line)
    return answer(line)
  })
  return world
}
function inApp<T>(use: () => T): { result: T; client: QueryClient } {
  const client = queries.newQueryClient(() => 0)
  let result: T | undefined
  const Host = defineComponent({
    setup() {
      result = use()
      return () => null
    },
  })
  const page = mount(Host, { global: { plugins: [[VueQueryPlugin, { queryClient: client }]] } })
  const end = keepLookout(client, () => 0)
  stop = () => {
    page.unmount()
    end()
  }
  return { result: result as T, client }
}
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

it('keeps a press through a minute without a line, says so, and does it once', async () => {
  const world = service(() => json(now({ sandbox: view({ id: 'x1' }) })))
  const { result: play } = inApp(() => queries.usePlay())
  world.away = true
  play.mutate(place)
  await pass(60_000)
  expect(weather.now.value).toBe('lost')
  expect(weather.presses.value).toBe(1)
  world.away = false
  await pass(3_000)
  expect(world.reached.filter((line) => line.startsWith('PUT'))).toHaveLength(1)
  expect(play.data.value?.sandbox?.id).toBe('x1')
  expect(weather.presses.value).toBe(0)
  expect(weather.now.value).toBe('calm')
})

it('says that the line is lost when the browser does, unless the service answers', async () => {
  const world = service(() => json({ status: 'ok' }))
  inApp(() => null)
  window.dispatchEvent(new Event('offline'))
  await pass(5_000)
  expect(world.reached).toEqual(['GET /v1/health'])
  expect(weather.now.value).toBe('calm')
  world.away = true
  window.dispatchEvent(new Event('offline'))
  await pass(2_500)
  expect(weather.now.value).toBe('lost')
  world.away = false
  await pass(5_000)
  expect(weather.now.value).toBe('calm')
})

it('keeps nothing that nobody pressed', async () => {
  const world = service(() => json(now({})))
  const { result } = inApp(() => ({ look: useWatch(), check: useCheck() }))
  world.away = true
  result.look.mutate({ place, step: 's1', quiet: true })
  await pass(2_500)
  expect(result.look.isError.value).toBe(true)
  expect(weather.presses.value).toBe(0)
  result.check.mutate({ place, step: 's1' })
  await pass(2_500)
  expect(weather.presses.value).toBe(1)
})

it('sends kept presses in the order they were made', async () => {
  const world = service(() => json(now({})))
  const { result } = inApp(() => ({ play: queries.usePlay(), stop: queries.useStop() }))
  world.away = true
  result.play.mutate(place)
  await pass(2_500)
  result.stop.mutate(place)
  await pass(10_000)
  expect(weather.presses.value).toBe(2)
  world.away = false
  await pass(6_000)
  const pressed = world.reached.filter((line) => !line.startsWith('GET'))
  expect(pressed.map((line) => line.split(' ')[0])).toEqual(['PUT', 'DELETE'])
})

it('keeps the last good data, and asks anew once when the service is back', async () => {
  let id = 'old'
  const world = service((line) =>
    line.endsWith('/sandbox') ? json(now({ sandbox: view({ id }) })) : json({ status: 'ok' }))
  const { result: box } = inApp(() => queries.useSandbox(place))
  await pass(100)
  expect(box.data.value?.sandbox?.id).toBe('old')
  world.away = true
  id = 'new'
  await pass(30_000)
  expect(weather.now.value).toBe('lost')
  expect(box.data.value?.sandbox?.id).toBe('old')
  world.away = false
  await pass(4_500)
  expect(box.data.value?.sandbox?.id).toBe('new')
  expect(weather.now.value).toBe('calm')
})

it('shows a page that could not be shown, by itself once the service is back', async () => {
  const world = service((line) =>
    line.endsWith('/classes') ? json({ classes: [] }) : json({ status: 'ok' }))
  world.away = true
  const { result: classes } = inApp(() => queries.useClasses())
  await pass(20_000)
  expect(classes.isError.value).toBe(true)
  world.away = false
  await pass(5_000)
  expect(classes.data.value).toEqual({ classes: [] })
  expect(world.reached.filter((line) => line.endsWith('/classes'))).toHaveLength(1)
})

it('tells the reason of a refused Play on whatever page it is looked for', async () => {
  service(() => json({ title: 'Two labs at a time.' }, 409))
  const { result } = inApp(() => ({
    play: queries.usePlay(),
    here: queries.useRefusal(place),
    there: queries.useRefusal({ ...place, lab: 'other' }),
  }))
  result.play.mutate(place)
  await pass(100)
  expect(result.here.value?.title).toBe('Two labs at a time.')
  expect(result.there.value).toBe(null)
})

it('takes half an answer, and a page of a Wi-Fi, for no answer', async () => {
  const half = new ReadableStream({ start: (body) => body.error(new TypeError('cut')) })
  const page = new Response('<p>Sign in to the Wi-Fi')
  const replies = [new Response(half), page, json(now({ sandbox: view({ id: 'whole' }) }))]
  service(() => replies.shift()!)
  const { result: box } = inApp(() => queries.useSandbox(place))
  await pass(1_000)
  expect(box.data.value?.sandbox?.id).toBe('whole')
  expect(replies).toEqual([])
})

it('gives up what hangs when the network is back, instead of waiting for it', async () => {
  let asked = 0
  vi.stubGlobal('fetch', (request: Request) => {
    asked += 1
    if (asked > 1) return Promise.resolve(json(now({ sandbox: view({ id: 'back' }) })))
    return new Promise<Response>((_done, fail) => {
      request.signal.addEventListener('abort', () => fail(new Error('aborted')))
    })
  })
  const { result: box } = inApp(() => queries.useSandbox(place))
  await pass(5_000)
  expect(asked).toBe(1)
  window.dispatchEvent(new Event('online'))
  await pass(500)
  expect(box.data.value?.sandbox?.id).toBe('back')
})

it('calls it a return: a page out of the cache, a network, a look after a while', () => {
  let hour = 0
  let hidden = false
  let returns = 0
  vi.spyOn(document, 'hidden', 'get').mockImplementation(() => hidden)
  stop = watchReturns(() => (returns += 1), () => hour)
  const look = (at: number, away: boolean) => {
    hour = at
    hidden = away
    document.dispatchEvent(new Event('visibilitychange'))
  }
  look(0, true)
  look(1_000, false)
  expect(returns).toBe(0)
  look(2_000, true)
  look(9_000, false)
  expect(returns).toBe(1)
  window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }))
  expect(returns).toBe(1)
  window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  window.dispatchEvent(new Event('online'))
  expect(returns).toBe(3)
  vi.restoreAllMocks()
})

it('lets a look go sooner than a press, and waits as long as it was asked to', () => {
  const busy = new ApiProblem(503, {})
  expect([3, 4].map((n) => worthRetrying(n, busy))).toEqual([true, false])
  expect([4, 59, 60].map((n) => worthKeeping(n, busy))).toEqual([true, true, false])
  expect(worthKeeping(4, new ApiProblem(429, {}))).toBe(false)
  expect(worthKeeping(0, new ApiProblem(409, {}))).toBe(false)
  expect(retryDelay(9, noAnswer(), 1)).toBe(3_000)
  expect(retryDelay(9, busy, 1)).toBe(8_000)
  const headers = { 'retry-after': new Date(serverClock.now() + 20_000).toUTCString() }
  const late = problemOf(new Response('', { status: 503, headers }), null)
  expect(Math.abs(retryDelay(0, late, 0) - 20_000)).toBeLessThan(2_000)
})

/** A page that listens for lost pieces; each stands for one load of the same address. */
function page(over: Partial<Parameters<typeof whenPieceIsLost>[0]> = {}) {
  const seen = { reloads: 0, told: 0 }
  const listening = vi.spyOn(window, 'addEventListener')
  whenPieceIsLost(
    {
      answers: () => Promise.resolve(true),
      busy: () => false,
      reload: () => (seen.reloads += 1),
      tell: () => (seen.told += 1),
      wall: () => 50_000,
      ...over,
    },
    sessionStorage,
  )
  const [name, listener] = listening.mock.calls.at(-1)!
  listening.mockRestore()
  return { seen, leave: () => window.removeEventListener(name, listener as () => void) }
}

it('reloads for a lost piece once somebody answers and nothing waits to be sent', async () => {
  vi.useFakeTimers()
  sessionStorage.clear()
  const world = { there: false, busy: true }
  const { seen, leave } = page({
    answers: () => Promise.resolve(world.there),
    busy: () => world.busy,
  })
  window.dispatchEvent(new Event('vite:preloadError'))
  pieceIsLost()
  await pass(4_000)
  world.there = true
  await pass(4_000)
  expect(seen.reloads).toBe(0)
  world.busy = false
  await pass(2_000)
  expect(seen).toEqual({ reloads: 1, told: 0 })
  leave()
})

it('says so where the fresh page lacks a piece too, and reloads again much later', async () => {
  vi.useFakeTimers()
  sessionStorage.clear()
  const first = page()
  pieceIsLost()
  await pass(0)
  expect(first.seen).toEqual({ reloads: 1, told: 0 })
  first.leave()
  const fresh = page({ wall: () => 70_000 })
  pieceIsLost()
  await pass(2_000)
  expect(fresh.seen).toEqual({ reloads: 0, told: 1 })
  fresh.leave()
  const later = page({ wall: () => 90_000 })
  pieceIsLost()
  await pass(0)
  expect(later.seen).toEqual({ reloads: 1, told: 0 })
  later.leave()
})
