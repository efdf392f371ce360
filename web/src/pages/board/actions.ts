/** What a trainer does for some or all: more time at once, stopping after a moment to undo. */
import { computed } from 'vue'
import { useExtendMany, useLowerHand, useStopMany } from '@/api/trainer'
import { t } from '@/i18n'
import { toast } from '@/toast'
import { useLater } from './later'
import { isRunning, type Row } from './rows'

export const EXTEND_MINUTES = 15

export type Doing = ReturnType<typeof useActions>
export function useActions(classId: () => string) {
  const extending = useExtendMany()
  const stopping = useStopMany()
  const lowering = useLowerHand()
  const later = useLater()
  function extend(rows: readonly Row[]): void {
    const sandboxes = rows.flatMap(({ student, lab, view }) =>
      student.id && lab && view?.deadline_at && isRunning(view)
        ? [{ student: student.id, lab, deadline_at: view.deadline_at }]
        : [])
    if (sandboxes.length === 0 || extending.isPending.value) return
    extending.mutate(
      { classId: classId(), minutes: EXTEND_MINUTES, sandboxes },
      {
        onSuccess: (count) =>
          toast({ text: t('board.said.extended', { count, minutes: EXTEND_MINUTES }) }),
      },
    )
  }
  /** `rows` null: all of the class. Sent when the time to undo is over. */
  function stop(rows: readonly Row[] | null, count: number): void {
    const where = classId()
    const sandboxes = rows && rows.flatMap(({ student, lab }) =>
      student.id && lab ? [{ student: student.id, lab }] : [])
    later.plan(t('board.said.stopping', { count }), () =>
      stopping.mutate({ classId: where, sandboxes }))
  }
  function lower({ student, lab }: Row): void {
    if (student.id && lab) lowering.mutate({ classId: classId(), lab, student: student.id })
  }
  const error = computed(
    () => extending.error.value ?? stopping.error.value ?? lowering.error.value,
  )
  return { extend, stop, lower, error, later }
}
