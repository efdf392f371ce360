/** Who on the board needs a look first. */
import type { BoardStudent, Phase } from '@/api/types'

export type StudentState = Phase | 'away'
const ORDER: StudentState[] = ['failed', 'queued', 'starting', 'ready', 'stopping', 'gone', 'away']

/** The state that matters most among a student's sandboxes. */
export function stateOf(student: BoardStudent): StudentState {
  const phases = Object.values(student.labs).map(({ phase }) => phase)
  return ORDER.find((state) => state !== 'away' && phases.includes(state)) ?? 'away'
}

export function needOrder(a: BoardStudent, b: BoardStudent): number {
  const by = ORDER.indexOf(stateOf(a)) - ORDER.indexOf(stateOf(b))
  return by || a.name.localeCompare(b.name)
}
