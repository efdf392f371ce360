/** How long to go on trying. Pages that must be there at once use this alone. */
import { ApiProblem } from './problem'

/** A look at something is taken again soon anyway; what somebody pressed is not let go so soon. */
const READ_RETRIES = 4
const PRESS_RETRIES = 60
const SLOWEST_MS = 8_000
/** Without any answer the next try is near, so that nobody waits once the line is back. */
const SLOWEST_LOST_MS = 3_000
const ASKED_MS_MAX = 30_000

/** Wait before try n (0, 1, ...): 0.4 to 8 s with jitter, or what the server asked for. */
export function retryDelay(attempt: number, error: unknown, chance: number): number {
  const problem = error instanceof ApiProblem ? error : null
  if (problem && problem.retryAfterMs !== null) return Math.min(problem.retryAfterMs, ASKED_MS_MAX)
  const slowest = problem?.status === 0 ? SLOWEST_LOST_MS : SLOWEST_MS
  return Math.min(slowest, 400 * 2 ** attempt) * (0.5 + chance / 2)
}

export function worthRetrying(failures: number, error: unknown): boolean {
  return failures < READ_RETRIES && error instanceof ApiProblem && error.passing
}

/** A press is kept for about two minutes while nobody answers; too many of them are not. */
export function worthKeeping(failures: number, error: unknown): boolean {
  const most = error instanceof ApiProblem && error.status === 429 ? READ_RETRIES : PRESS_RETRIES
  return failures < most && error instanceof ApiProblem && error.passing
}

type Patience = {
  chance: () => number
  signal?: AbortSignal
  /** Hears of each try that will be repeated. */
  failed?: () => void
  worth?: typeof worthRetrying
}

/** Ask until there is an answer or no hope. Throws the last problem, or an abort reason. */
export async function patiently<T>(
  ask: () => Promise<T>,
  { chance, signal, failed, worth = worthRetrying }: Patience,
): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await ask()
    } catch (error) {
      if (signal?.aborted || !worth(failures, error)) throw error
      failed?.()
      await pause(retryDelay(failures, error, chance()), signal)
    }
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done, stop) => {
    const end = () => {
      clearTimeout(timer)
      stop(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end)
      done()
    }, ms)
    signal?.addEventListener('abort', end, { once: true })
  })
}
