/** Something that is done a few seconds after it was asked for, so that it can be taken back. */
import { onScopeDispose, readonly, ref, type Ref } from 'vue'

export const UNDO_MS = 5_000
export type Later = {
  /** What is about to happen, in words; null: nothing. */
  waiting: Readonly<Ref<string | null>>
  /** Do it after the wait. What was still waiting is done at once. */
  plan: (words: string, act: () => void) => void
  undo: () => void
}

/** Leaving the page does at once what was waiting: it had been confirmed. */
export function useLater(): Later {
  const waiting = ref<string | null>(null)
  let act: (() => void) | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  function undo(): void {
    clearTimeout(timer)
    act = null
    waiting.value = null
  }
  function doNow(): void {
    const due = act
    undo()
    due?.()
  }
  function plan(words: string, what: () => void): void {
    doNow()
    act = what
    waiting.value = words
    timer = setTimeout(doNow, UNDO_MS)
  }
  window.addEventListener('pagehide', doNow)
  onScopeDispose(() => {
    window.removeEventListener('pagehide', doNow)
    doNow()
  })
  return { waiting: readonly(waiting), plan, undo }
}
