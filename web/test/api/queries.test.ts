import { VueQueryPlugin, type QueryClient } from '@tanstack/vue-query'
import { mount } from '@vue/test-utils'
import { afterEach, expect, it, vi } from 'vitest'
import { defineComponent } from 'vue'
import { ApiProblem } from '@/api/problem'
import * as queries from '@/api/queries'
import type { SandboxNow, SandboxView } from '@/api/types'
import { view } from '../views'
import { until } from '../until'

const place = { classId: 'c1', lab: 'web' }
afterEach(() => vi.unstubAllGlobals())

function inApp<T>(use: () => T): { result: T; client: QueryClient } {
  const client = queries.newQueryClient(() => 0)
  let result: T | undefined
  const Host = defineComponent({
    setup() {
      result = use()
      return () => null
    },
  })
  mount(Host, { global: { plugins: [[VueQueryPlugin, { queryClient: client }]] } })
  return { result: result as T, client }
}

/** Answers of a server, one after another; the last one repeats. */
function serve(...replies: (Response | Error | Promise<Response>)[]): string[] {
  const asked: string[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    asked.push(`${request.method} ${new URL(request.url).pathname}`)
    const reply = replies.length > 1 ? replies.shift()! : replies[0]!
    if (reply instanceof Error) throw reply
    return (await reply).clone()
  })
  return asked
}
const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' },
  })
const shown = (client: QueryClient): SandboxView | null | undefined =>
  client.getQueryData<SandboxNow>(queries.keys.sandbox(place))?.sandbox

const answer = (over: Partial<SandboxView>, look_ms: number): SandboxNow => ({
  sandbox: view(over), progress: null, messages: [], now: 0, look_ms,
})

it('asks as soon as the server said, and what Play hopes for a little later', () => {
  expect(queries.pollEvery(answer({ phase: 'starting' }, 250), 0)).toBe(250)
  expect(queries.pollEvery(answer({ phase: 'ready', deadline_at: 90_000 }, 45_000), 0)).toBe(45_000)
  expect(queries.pollEvery(answer({ phase: 'queued', id: '' }, 250), 0)).toBe(2_000)
  expect(queries.pollEvery(undefined, 0)).toBe(15_000)
})

it('looks when the deadline comes, and at once when it has passed', () => {
  expect(queries.pollEvery(answer({ deadline_at: 4_000 }, 5_000), 1_000)).toBe(3_000)
  expect(queries.pollEvery(answer({ deadline_at: 5 }, 5_000), 6)).toBe(1_000)
})

it('waits longer from try to try, and as long as the server asks', () => {
  expect([0, 1, 2, 5, 9].map((n) => queries.retryDelay(n, null, 1))).toEqual(
    [400, 800, 1_600, 8_000, 8_000])
  expect(queries.retryDelay(0, null, 0)).toBe(200)
  expect(queries.retryDelay(0, new ApiProblem(503, {}, 7_000), 0)).toBe(7_000)
})

it('shows the start the moment Play is pressed', async () => {
  serve(new Promise<Response>(() => undefined))
  const { result: play, client } = inApp(() => queries.usePlay())
  play.mutate(place)
  await until(() => shown(client)?.phase === 'queued')
})

it('plays through a dead line and a busy gateway', async () => {
  const asked = serve(
    new TypeError('offline'),
    json({ title: 'busy' }, 503),
    json({ sandbox: view({ phase: 'starting', id: 'x1' }), now: 1 }, 201),
  )
  const { result: play, client } = inApp(() => queries.usePlay())
  play.mutate(place)
  await until(() => shown(client)?.id === 'x1')
  expect(asked).toHaveLength(3)
})

it('takes the start back when Play was refused, and keeps the reason', async () => {
  serve(json({ title: 'Two labs at a time.', fix: 'Stop one first.' }, 409))
  const { result: play, client } = inApp(() => queries.usePlay())
  play.mutate(place)
  await until(() => play.isError.value)
  expect(shown(client)).toBe(null)
  expect((play.error.value as ApiProblem).fix).toBe('Stop one first.')
})

it('does not blank a running lab when Play is pressed again', async () => {
  const asked = serve(new Promise<Response>(() => undefined))
  const { result: play, client } = inApp(() => queries.usePlay())
  client.setQueryData(queries.keys.sandbox(place), { sandbox: view({ id: 'r' }), now: 1 })
  play.mutate(place)
  await until(() => asked.length === 1)
  expect(shown(client)).toMatchObject({ id: 'r', phase: 'ready' })
})

it('a look that overtakes Play does not undo it', async () => {
  let finish: (answer: Response) => void = () => undefined
  vi.stubGlobal('fetch', (request: Request) =>
    request.method === 'PUT'
      ? new Promise<Response>((resolve) => (finish = resolve))
      : Promise.resolve(json({ sandbox: null, now: 1 })))
  const { result, client } = inApp(() => ({
    play: queries.usePlay(),
    box: queries.useSandbox(place),
  }))
  await until(() => result.box.isSuccess.value)
  result.play.mutate(place)
  await until(() => shown(client)?.phase === 'queued')
  await result.box.refetch()
  expect(shown(client)?.phase).toBe('queued')
  finish(json({ sandbox: view({ id: 'x2', phase: 'ready' }), now: 2 }))
  await until(() => shown(client)?.id === 'x2')
})
