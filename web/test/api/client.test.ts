import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import * as calls from '@/api/calls'
import type { Asked } from '@/api/early'
import { ApiProblem } from '@/api/problem'
import { serverClock } from '@/clock'

type Answer = (request: Request) => Response | Promise<Response>
let asked: Request[]
const place = { classId: 'c 1', lab: 'web' }

function answers(answer: Answer): void {
  vi.stubGlobal('fetch', async (request: Request) => {
    asked.push(request)
    return answer(request)
  })
}
const json = (body: unknown, status = 200, headers = {}) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  })
async function problem(call: Promise<unknown>): Promise<ApiProblem> {
  const error = await call.then(
    () => null,
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(ApiProblem)
  return error as ApiProblem
}

beforeEach(() => (asked = []))
afterEach(() => vi.unstubAllGlobals())

it('plays with a PUT to the place, in JSON', async () => {
  answers(() => json({ sandbox: null, now: Date.now() }))
  await calls.play(place)
  expect(asked[0]!.method).toBe('PUT')
  expect(asked[0]!.headers.get('prefer')).toBe('wait=1')
  expect(new URL(asked[0]!.url).pathname).toBe('/v1/classes/c%201/labs/web/sandbox')
  expect(asked[0]!.headers.get('content-type')).toBe('application/json')
})

it('takes an answer that the page asked for before this script was there, once', async () => {
  await early('/v1/classes/c%201')
  answers(() => json({ title: 'late', now: Date.now() }))
  expect(await calls.classPage('c 1')).toMatchObject({ title: 'early' })
  expect(asked).toEqual([])
  expect(await calls.classPage('c 1')).toMatchObject({ title: 'late' })
  expect(asked).toHaveLength(1)
})

async function early(path: string, age = 0): Promise<void> {
  const answer = json({ title: 'early', now: Date.now() })
  const read = [answer, await answer.arrayBuffer(), Date.now() - age] as Awaited<Asked['back']>
  const asking = { left: Date.now() - age, back: Promise.resolve(read) }
  window.early = new Map([[`GET${location.origin}${path}`, asking]])
}

it('asks anew where what the page asked for itself is old', async () => {
  answers(() => json({ title: 'late', now: Date.now() }))
  await early('/v1/classes/c1', 5_000)
  expect(await calls.classPage('c1')).toMatchObject({ title: 'early' })
  await early('/v1/classes/c1', 21_000)
  expect(await calls.classPage('c1')).toMatchObject({ title: 'late' })
})

it('asks anew once anything was sent, which may have signed somebody in', async () => {
  answers(() => json({ title: 'late', now: Date.now() }))
  await early('/v1/classes/c1')
  await calls.play(place)
  expect(await calls.classPage('c1')).toMatchObject({ title: 'late' })
})

it('asks anew where what was asked before got no answer', async () => {
  const back = Promise.reject(new TypeError('no line'))
  window.early = new Map([[`GET${location.origin}/v1/classes/c1`, { left: Date.now(), back }]])
  answers(() => json({ title: 'late', now: Date.now() }))
  expect(await problem(calls.classPage('c1'))).toMatchObject({ status: 0, passing: true })
  expect(await calls.classPage('c1')).toMatchObject({ title: 'late' })
})

it('names the student when an instructor stops their lab', async () => {
  answers(() => json({ sandbox: null, now: Date.now() }, 202))
  await calls.stop({ ...place, student: 'u7' })
  expect(asked[0]!.method).toBe('DELETE')
  expect(new URL(asked[0]!.url).searchParams.get('student')).toBe('u7')
})

it('sends the number of extensions it saw, so that a second press does nothing', async () => {
  answers(() => json({ sandbox: null, now: Date.now() }))
  await calls.extend(place, 3)
  expect(await asked[0]!.json()).toEqual({ extensions_left: 3 })
})

it('throws a problem with its title, fix and field', async () => {
  const body = { type: 'x', title: 'No class has this code.', fix: 'Ask again.', field: 'code' }
  answers(() => json(body, 404, { 'content-type': 'application/problem+json' }))
  expect(await problem(calls.joinPreview('MARIGOLD'))).toMatchObject({
    status: 404, title: 'No class has this code.', fix: 'Ask again.', field: 'code',
    passing: false,
  })
})

it('makes a readable problem of a gateway page', async () => {
  answers(() => new Response('<html>502</html>', { status: 502, headers: { 'retry-after': '3' } }))
  const found = await problem(calls.session())
  expect(found.passing).toBe(true)
  expect(found.retryAfterMs).toBe(3_000)
  expect(found.title).toBe('The service is busy.')
})

it('says so when nobody answers', async () => {
  answers(() => {
    throw new TypeError('failed to fetch')
  })
  expect(await problem(calls.session())).toMatchObject({ status: 0, passing: true })
})

it('gives up after twenty seconds', async () => {
  vi.useFakeTimers()
  answers(
    (request) =>
      new Promise((_resolve, reject) => {
        request.signal.addEventListener('abort', () => reject(new Error('aborted')))
      }),
  )
  const found = problem(calls.session())
  await vi.advanceTimersByTimeAsync(20_000)
  vi.useRealTimers()
  expect((await found).status).toBe(0)
})

it('passes on that the page itself gave up, which is no problem', async () => {
  answers(() => new Promise(() => undefined))
  const leaving = new AbortController()
  leaving.abort(new Error('left the page'))
  await expect(calls.session(leaving.signal)).rejects.not.toBeInstanceOf(ApiProblem)
})

it('sets the clock by every answer', async () => {
  const ahead = Date.now() + 3_600_000
  answers(() => json({ sandbox: null, now: ahead }))
  await calls.sandbox(place)
  expect(Math.abs(serverClock.now() - ahead)).toBeLessThan(2_000)
  answers(() => json({ sandbox: null, now: Date.now() }))
  await calls.sandbox(place)
})

it('signs out though the answer has no body', async () => {
  answers(() => new Response(null, { status: 204 }))
  await expect(calls.signOut()).resolves.toBeUndefined()
})
