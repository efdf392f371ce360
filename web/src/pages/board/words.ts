/** Why somebody needs the trainer, in words; the student's own where there are any. */
import { heard, t } from '@/i18n'
import type { Row } from './rows'

/** Whole minutes, "6 min". */
export function minutesOf(ms: number): string {
  return t('time.minutes', { count: Math.max(0, Math.round(ms / 60_000)) })
}

export function whyOf({ student: { need } }: Row, now: number): string {
  if (!need) return ''
  const { kind, text, since } = need
  if (kind === 'quiet') return t('board.why.quiet', { time: minutesOf(now - since) })
  if (kind === 'hand' && text) return `“${text}”`
  return heard(text) || t(`board.why.${kind}`)
}
