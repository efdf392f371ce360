/** How a step looks in lists: an icon, a word and a tone for each state. */
import { Circle, CircleAlert, CircleCheck, CircleDot, WandSparkles } from '@lucide/vue'
import type { Component } from 'vue'
import type { LabStep, Progress, StepProgress } from '@/api/types'
import type { Key } from '@/i18n'

type Mark = { icon: Component; word: Key; tone: string }
export const MARKS: Readonly<Record<StepProgress['state'], Mark>> = {
  untouched: { icon: Circle, word: 'step.untouched', tone: 'text-ink-3' },
  seen: { icon: CircleDot, word: 'step.seen', tone: 'text-ink-2' },
  failing: { icon: CircleAlert, word: 'step.failing', tone: 'text-danger' },
  passed: { icon: CircleCheck, word: 'step.passed', tone: 'text-ok' },
  solved: { icon: WandSparkles, word: 'step.solved', tone: 'text-info' },
}

export const isDone = (own: StepProgress | undefined) =>
  own?.state === 'passed' || own?.state === 'solved'

export function ownOf(progress: Progress | null | undefined, id: string): StepProgress | undefined {
  return progress?.steps.find((step) => step.id === id)
}

/** Whether every check of the step passed, for good. */
export function checksPass(step: LabStep, own: StepProgress | undefined): boolean {
  if (isDone(own)) return true
  return step.checks.every(({ id }) => own?.verdicts.find((one) => one.check === id)?.ok)
}
