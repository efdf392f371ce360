/** Our API over fetch: paths and shapes from OpenAPI, problems thrown, the clock kept right. */
import { serverClock } from '@/clock'
import { LIMIT_MS, taken, type Asked } from './early'
import { isPassing, noAnswer, problemOf } from './problem'
import { watchReturns } from './returning'
import type { paths } from './schema'
import { createTyped } from './typed'
import { weather } from './weather'

/** A request older than this when the page returns hangs on a line that is gone. */
const HANGING_MS = 2_000
const times = new WeakMap<Response, { left: number; back: number }>()
const waiting = new Map<AbortController, number>()

function giveUpHanging(): void {
  for (const [giveUp, left] of waiting) if (Date.now() - left > HANGING_MS) giveUp.abort()
}
watchReturns(giveUpHanging)

/** `Prefer: wait=10`: the server holds its answer back for so long (ms). */
function wished(request: Request): number {
  const seconds = /\bwait=(\d+)/.exec(request.headers.get('prefer') ?? '')?.[1]
  return Number(seconds ?? 0) * 1_000
}

/** The whole answer. A line that breaks within the body is no answer, and is worth another try. */
async function whole(request: Request): Promise<Response> {
  const { left, back } = taken(request) ?? { left: Date.now(), back: asked(request) }
  const [response, bytes, at] = await back
  const read = new Response(bytes.byteLength ? bytes : null, response)
  times.set(read, { left, back: at })
  return read
}

async function asked(request: Request): Asked['back'] {
  const response = await globalThis.fetch(request)
  return [response, await response.arrayBuffer(), Date.now()]
}

/** fetch with a limit. Throws ApiProblem (status 0) when nobody answers, and abort reasons. */
async function timed(request: Request): Promise<Response> {
  const giveUp = new AbortController()
  const limit = setTimeout(() => giveUp.abort(), LIMIT_MS + wished(request))
  const follow = () => giveUp.abort(request.signal.reason)
  request.signal.addEventListener('abort', follow) // AbortSignal.any is too new for older iPads
  waiting.set(giveUp, Date.now() + wished(request))
  const flight = weather.leaves(wished(request))
  try {
    request.signal.throwIfAborted()
    if (request.method !== 'GET') request.headers.set('content-type', 'application/json')
    const response = await whole(new Request(request, { signal: giveUp.signal }))
    if (isPassing(response.status) && response.status !== 429) flight.failed()
    else flight.landed()
    return response
  } catch (error) {
    if (request.signal.aborted) {
      flight.dropped()
      throw error
    }
    flight.failed()
    throw noAnswer()
  } finally {
    clearTimeout(limit)
    waiting.delete(giveUp)
    request.signal.removeEventListener('abort', follow)
  }
}

export const client = createTyped<paths>(globalThis.location.origin, timed)

type Answer<T> = { data?: T; error?: unknown; response: Response }

/** The body of a success. Throws ApiProblem for every other answer, and abort reasons. */
export async function take<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked.catch((problem: unknown) => {
    // A page instead of JSON, as the sign-in page of a Wi-Fi: the service did not answer.
    throw problem instanceof SyntaxError ? noAnswer() : problem
  })
  if (!response.ok) throw problemOf(response, error)
  const time = times.get(response)
  if (time && data && typeof data === 'object' && 'now' in data) {
    if (typeof data.now === 'number') serverClock.note(data.now, time.left, time.back)
  }
  return data as T
}

