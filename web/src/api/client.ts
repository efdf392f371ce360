/** Our API over fetch: paths and shapes from OpenAPI, problems thrown, the clock kept right. */
import createClient from 'openapi-fetch'
import { serverClock } from '@/clock'
import { noAnswer, problemOf } from './problem'
import type { paths } from './schema'

const LIMIT_MS = 20_000
const times = new WeakMap<Response, { left: number; back: number }>()

/** fetch with a limit. Throws ApiProblem (status 0) when nobody answers, and abort reasons. */
async function timed(request: Request): Promise<Response> {
  const giveUp = new AbortController()
  const limit = setTimeout(() => giveUp.abort(), LIMIT_MS)
  const follow = () => giveUp.abort(request.signal.reason)
  request.signal.addEventListener('abort', follow) // AbortSignal.any is too new for older iPads
  const left = Date.now()
  try {
    request.signal.throwIfAborted()
    if (request.method !== 'GET') request.headers.set('content-type', 'application/json')
    const response = await globalThis.fetch(new Request(request, { signal: giveUp.signal }))
    times.set(response, { left, back: Date.now() })
    return response
  } catch (error) {
    throw request.signal.aborted ? error : noAnswer()
  } finally {
    clearTimeout(limit)
    request.signal.removeEventListener('abort', follow)
  }
}

export const client = createClient<paths>({
  baseUrl: globalThis.location.origin,
  credentials: 'same-origin',
  headers: { accept: 'application/json, application/problem+json' },
  fetch: timed,
})

type Answer<T> = { data?: T; error?: unknown; response: Response }

/** The body of a success. Throws ApiProblem for every other answer. */
export async function take<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked
  if (!response.ok) throw problemOf(response, error)
  const time = times.get(response)
  if (time && data && typeof data === 'object' && 'now' in data) {
    if (typeof data.now === 'number') serverClock.note(data.now, time.left, time.back)
  }
  return data as T
}
