/** Why somebody needs the trainer, in words; the student's own where there are any. */
import { t } from '@/i18n'
import type { Row } from './rows'

/** Whole minutes, "6 min". */
export function minutesOf(ms: number): string {
  return t('time.minutes', { count: Math.max(0, Math.round(ms / 60_000)) })
}

export function whyOf({ student: { need } }: Row, now: number): string {
  if (!need) return ''
  switch (need.kind) {
    case 'hand':
      return need.text ? `“${need.text}”` : t('board.why.hand')
    case 'broken':
      return need.text || t('board.why.broken')
    case 'suspect':
      return need.text || t('board.why.suspect')
    case 'failing':
      return need.text || t('board.why.failing')
    case 'quiet':
      return t('board.why.quiet', { time: minutesOf(now - need.since) })
  }
}
