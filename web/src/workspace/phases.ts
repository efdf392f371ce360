/** What the starting screen says, told from the sandbox alone: steps, seconds and the estimate. */
import type { SandboxView } from '@/api/types'
import type { Key } from '@/i18n'

export type StageId = 'place' | 'machine' | 'files' | 'terminal'
export type Stage = {
  id: StageId
  label: Key
  state: 'done' | 'now' | 'later'
  /** How many of the machines are past it, where there are several. */
  count?: { done: number; of: number }
}

/** The four stages of a start. `opened`: the terminal has answered. */
export function stages(view: SandboxView, opened: boolean): Stage[] {
  const of = view.machines.length
  const running = view.machines.filter((m) => m.state === 'running' || m.state === 'usable').length
  const usable = view.machines.filter((m) => m.state === 'usable').length
  const ready = view.phase === 'ready'
  const done = [
    view.phase !== 'queued',
    ready || (of > 0 && running === of),
    ready || (of > 0 && usable === of),
    ready && opened,
  ]
  const current = done.indexOf(false)
  const labels: [StageId, Key][] = [
    ['place', 'start.place'],
    ['machine', 'start.machine'],
    ['files', 'start.files'],
    ['terminal', 'start.terminal'],
  ]
  return labels.map(([id, label], at) => ({
    id,
    label,
    state: done[at] && (current < 0 || at < current) ? 'done' : at === current ? 'now' : 'later',
    count:
      of > 1 && (id === 'machine' || id === 'files')
        ? { done: ready ? of : id === 'machine' ? running : usable, of }
        : undefined,
  }))
}

export type Estimate =
  | { kind: 'soon' }
  | { kind: 'left'; seconds: number }
  | { kind: 'late'; seconds: number; usual: number }

/** Under two seconds it is "a moment"; past 1.5 times the usual it says that it is late. */
export function estimate(view: SandboxView, now: number): Estimate {
  const passed = Math.max(0, now - view.asked_at) / 1000
  const usual = view.seconds_expected
  if (passed > Math.max(3, usual * 1.5)) {
    return { kind: 'late', seconds: Math.floor(passed), usual: Math.max(1, Math.ceil(usual)) }
  }
  const left = Math.ceil(usual - passed)
  return left >= 2 ? { kind: 'left', seconds: left } : { kind: 'soon' }
}

/** 0..1 for the bar; past the estimate it creeps on and never lies about being full. */
export function progress(view: SandboxView, now: number): number {
  if (view.phase === 'ready') return 1
  const passed = Math.max(0, now - view.asked_at) / 1000
  const part = passed / Math.max(0.2, view.seconds_expected)
  return part <= 0.8 ? part : 1 - 0.2 * Math.exp(-(part - 0.8) * 1.6)
}
