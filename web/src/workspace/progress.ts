/** Where a student is in the guide; kept in this browser. */
import { ref, type Ref } from 'vue'
import { keep } from '@/keep'

export type Progress = { step: Ref<number>; seen: Ref<number>; go: (to: number) => void }

/** `seen` is the number of steps left behind by going on. */
export function useProgress(classId: string, lab: string): Progress {
  const name = `brihaspati.step.${classId}.${lab}`
  const [at, upTo] = (keep()?.getItem(name) ?? '0,0').split(',').map(Number)
  const step = ref(at || 0)
  const seen = ref(upTo || 0)
  function go(to: number): void {
    step.value = Math.max(0, to)
    seen.value = Math.max(seen.value, step.value)
    keep()?.setItem(name, `${step.value},${seen.value}`)
  }
  return { step, seen, go }
}
