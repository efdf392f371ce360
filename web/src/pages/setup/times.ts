/** Dates of a class in the trainer's own time zone, as `datetime-local` fields have them. */
import { locale } from '@/i18n'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** "2026-11-24T10:30" in local time. */
export function toField(at: number): string {
  const local = new Date(at - new Date(at).getTimezoneOffset() * MINUTE)
  return local.toISOString().slice(0, 16)
}

/** Milliseconds since the epoch, or null while the field is not a date. */
export function fromField(text: string): number | null {
  const at = new Date(text).getTime()
  return text && Number.isFinite(at) ? at : null
}

/** Open now, close four full hours later. */
export function usualTimes(now: number): { opens: number; closes: number } {
  const opens = Math.floor(now / (5 * MINUTE)) * 5 * MINUTE
  return { opens, closes: Math.ceil((opens + 4 * HOUR) / (HOUR / 2)) * (HOUR / 2) }
}

/** "Europe/Berlin (GMT+1)" at that moment. */
export function zoneName(at: number): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const parts = new Intl.DateTimeFormat(locale(), { timeZoneName: 'short' }).formatToParts(at)
  const short = parts.find(({ type }) => type === 'timeZoneName')?.value
  return short && short !== zone ? `${zone} (${short})` : zone
}
