/** Messages of the trainer that were put aside on this device stay aside. */
import { computed, ref, watch, type ComputedRef } from 'vue'
import type { TrainerMessage } from '@/api/types'
import { keep } from '@/keep'

const MOST = 40

export type Heard = { waiting: ComputedRef<TrainerMessage[]>; dismiss: (id: string) => void }

/** `waiting`: messages not put aside, newest first. `said` hears of each when it comes. */
export function useHeard(
  classId: string,
  messages: () => readonly TrainerMessage[],
  said: (message: TrainerMessage) => void,
): Heard {
  const name = `brihaspati.heard.${classId}`
  const aside = ref((keep()?.getItem(name) ?? '').split(' '))
  const told = new Set<string>()
  const waiting = computed(() =>
    messages()
      .filter(({ id }) => !aside.value.includes(id))
      .sort((a, b) => b.at - a.at),
  )
  watch(
    waiting,
    (all) => {
      for (const one of [...all].reverse()) {
        if (!told.has(one.id)) said(one)
        told.add(one.id)
      }
    },
    { immediate: true },
  )
  function dismiss(id: string): void {
    aside.value = [...aside.value, id].slice(-MOST)
    keep()?.setItem(name, aside.value.join(' '))
  }
  return { waiting, dismiss }
}
