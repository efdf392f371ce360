/**
 * What the join page asks: who is here, which class a code opens, and to be let in. With plain
 * calls and the same patience as everywhere; TanStack Query would be half of the page's weight.
 */
import { computed, onScopeDispose, shallowRef, watch, type Ref } from 'vue'
import * as calls from '@/api/calls'
import { patiently, worthKeeping } from '@/api/patience'
import { asProblem, type ApiProblem } from '@/api/problem'
import type { ClassPreview, Session } from '@/api/types'
import { weather } from '@/api/weather'
import { chance, newKey } from '@/chance'

/** Somebody who has joined a class here before, once that is known. */
export function useWhoIsHere(): Ref<Session | null> {
  const session = shallowRef<Session | null>(null)
  const leaving = new AbortController()
  const { signal } = leaving
  const asked = patiently(() => calls.session(signal), { chance, signal })
  asked.then((found) => (session.value = found)).catch(() => undefined) // then nobody is greeted
  onScopeDispose(() => leaving.abort())
  return session
}

type Seen = { preview?: ClassPreview; problem?: ApiProblem; waiting?: boolean }

/** The class behind a whole code; asked anew for each, and the answer to an old one forgotten. */
export function usePreview(code: Ref<string>, length: number) {
  const seen = shallowRef<Seen>({})
  let asking = new AbortController()

  async function look(): Promise<void> {
    asking.abort()
    asking = new AbortController()
    const { signal } = asking
    seen.value = {}
    if (code.value.length < length) return
    const put = (next: Seen) => void (signal.aborted || (seen.value = next))
    try {
      const failed = () => put({ waiting: true })
      const ask = () => calls.joinPreview(code.value, signal)
      put({ preview: await patiently(ask, { chance, signal, failed }) })
      // The class page is asked for next. Nobody misses this when it fails.
      if (!signal.aborted) void calls.wake().catch(() => undefined)
    } catch (error) {
      put({ problem: asProblem(error) })
    }
  }
  watch(code, () => void look(), { immediate: true })
  onScopeDispose(() => asking.abort())
  return {
    preview: computed(() => seen.value.preview),
    problem: computed(() => seen.value.problem),
    waiting: computed(() => seen.value.waiting ?? false),
    again: () => void look(),
  }
}

type Wish = { code: string; name: string; email?: string }

/**
 * Join, and forget who was here before. The same wish has the same key, so that one whose answer
 * was lost is given its seat again.
 */
export function useJoining() {
  const busy = shallowRef(false)
  const problem = shallowRef<ApiProblem | null>(null)
  let last = { wish: '', key: '' }

  /** The class's id, or null: then `problem` says why. */
  async function join(wish: Wish): Promise<string | null> {
    if (busy.value) return null
    busy.value = true
    problem.value = null
    const release = weather.holds()
    // The class page needs it: let it come meanwhile. Without it there is nothing to forget.
    const next = import('@/api/asking').catch(() => null)
    try {
      const said = JSON.stringify(wish)
      if (said !== last.wish) last = { wish: said, key: newKey() }
      const { key } = last
      const ask = () => calls.join({ ...wish, key })
      const { class_id } = await patiently(ask, { chance, worth: worthKeeping })
      ;(await next)?.forgetWhoIsHere()
      return class_id
    } catch (error) {
      problem.value = asProblem(error)
      return null
    } finally {
      release()
      busy.value = false
    }
  }
  return { busy, problem, join }
}
