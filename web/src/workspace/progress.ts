/**
 * The step a student is at. The page turns at once; the service is told, and what it has not heard
 * yet is kept in this browser. On another device the step is what the service knows.
 */
import { computed, ref, watch, type ComputedRef } from 'vue'
import type { LabPlace } from '@/api/calls'
import { useTurn } from '@/api/guide'
import type { Progress } from '@/api/types'
import { keep } from '@/keep'

export type Place = {
  /** The id of the step on the screen; '' until it is known. */
  step: ComputedRef<string>
  go: (to: string) => void
}

/** `steps`: the ids of the lab's steps, empty until it is here. `progress`: null for a trainer. */
export function usePlace(
  place: LabPlace,
  steps: () => readonly string[],
  progress: () => Progress | null | undefined,
): Place {
  const name = `brihaspati.step.${place.classId}.${place.lab}`
  const turn = useTurn()
  const unheard = keep()?.getItem(name) ?? ''
  const chosen = ref(unheard)
  const step = computed(() => {
    const known = steps()
    return known.includes(chosen.value) ? chosen.value : (known[0] ?? '')
  })

  function tell(to: string): void {
    const heard = () => {
      if (chosen.value === to) keep()?.removeItem(name)
    }
    turn.mutate({ place, step: to }, { onSuccess: heard })
  }
  function go(to: string): void {
    if (!steps().includes(to)) return
    chosen.value = to
    keep()?.setItem(name, to)
    if (progress()) tell(to)
  }
  // Once, when both are here: from then on only this page turns its pages.
  const stop = watch(
    [progress, () => steps().length],
    ([known, length]) => {
      if (!known || !length) return
      queueMicrotask(() => stop())
      if (unheard && steps().includes(unheard)) tell(unheard)
      else if (known.step && steps().includes(known.step)) chosen.value = known.step
      else tell(step.value)
    },
    { immediate: true },
  )
  return { step, go }
}
