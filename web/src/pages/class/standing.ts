/** How far a student is with a lab, from what the class page tells. */
import { isAlive } from '@/api/queries'
import type { LabCard } from '@/api/types'

export type Standing = 'todo' | 'doing' | 'done'

export function standing(lab: LabCard): Standing {
  if (isAlive(lab.sandbox)) return 'doing'
  if (lab.steps > 0 && lab.done >= lab.steps) return 'done'
  return lab.done > 0 || lab.step > 1 ? 'doing' : 'todo'
}

export type Sum = { labs: number; labsDone: number; steps: number; stepsDone: number }

/** A lab counts as done even while it is played again. */
export function sum(labs: readonly LabCard[]): Sum {
  const total = { labs: labs.length, labsDone: 0, steps: 0, stepsDone: 0 }
  for (const lab of labs) {
    if (lab.steps > 0 && lab.done >= lab.steps) total.labsDone += 1
    total.steps += lab.steps
    total.stepsDone += Math.min(lab.done, lab.steps)
  }
  return total
}

/** The running lab, else what was begun, else the first that is not done, else none. */
export function nextUp(labs: readonly LabCard[]): LabCard | null {
  const alive = labs.filter((lab) => isAlive(lab.sandbox))
  const ready = alive.find((lab) => lab.sandbox?.phase === 'ready')
  const first = (wanted: Standing) => labs.find((lab) => standing(lab) === wanted)
  return ready ?? alive[0] ?? first('doing') ?? first('todo') ?? null
}
