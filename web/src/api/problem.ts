/** What went wrong, as RFC 9457 says it, or as well as we can tell when nobody answered. */
import { serverClock } from '@/clock'
import { heard, t } from '@/i18n'

export type ProblemBody = {
  type?: string
  title?: string
  status?: number
  detail?: string
  field?: string
  fix?: string
}

const PASSING = [0, 408, 425, 429, 502, 503, 504]
export const isPassing = (status: number) => PASSING.includes(status)

/** `status` 0: no answer at all (offline, refused, timed out). */
export class ApiProblem extends Error {
  readonly type: string
  readonly field: string | undefined

  constructor(
    readonly status: number,
    private readonly body: ProblemBody,
    readonly retryAfterMs: number | null = null,
  ) {
    super(body.title ?? `HTTP ${status}`)
    this.name = 'ApiProblem'
    this.type = body.type ?? 'about:blank'
    this.field = body.field
  }

  get title(): string {
    return heard(this.body.title ?? t('problem.unknown', { status: this.status }))
  }

  /** What to do about it, or else what more there is to say. */
  get fix(): string | undefined {
    const more = this.body.fix ?? this.body.detail
    return more && heard(more)
  }

  /** Whether the same request may well succeed a little later. */
  get passing(): boolean {
    return isPassing(this.status)
  }
}

/** Seconds or a date, as RFC 9110 has it. */
function retryAfter(response: Response): number | null {
  const said = response.headers.get('retry-after')
  if (!said) return null
  const seconds = Number(said)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(said) - serverClock.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : null
}

/** The problem in an answer that is no success, whether or not its body is problem+json. */
export function problemOf(response: Response, body: unknown): ApiProblem {
  const wait = retryAfter(response)
  if (body && typeof body === 'object' && 'title' in body) {
    return new ApiProblem(response.status, body as ProblemBody, wait)
  }
  const gateway = [502, 503, 504].includes(response.status)
  const words = gateway
    ? { title: t('problem.busy.title'), fix: t('problem.busy.fix') }
    : { title: t('problem.unknown', { status: response.status }) }
  return new ApiProblem(response.status, words, wait)
}

export function noAnswer(): ApiProblem {
  return new ApiProblem(0, {
    title: t('problem.offline.title'),
    fix: t('problem.offline.fix'),
  })
}

/** Any thrown thing as a problem a page can show. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error
  return new ApiProblem(0, { title: t('problem.page.title'), fix: t('problem.page.fix') })
}
