/** A finding in the page's language; what it has no words for is said as the server says it. */
import { t, type Key } from '@/i18n'
import { money } from '../board/money'
import type { Matter } from './clouds'

function said(key: string, values: Record<string, string | number>, instead: string): string {
  const text = t(key as Key, values)
  return text === key ? instead : text
}

export const seconds = (count: number) =>
  count < 90
    ? t('preflight.seconds', { count: Math.round(count) })
    : t('time.minutes', { count: Math.round(count / 60) })

export function daysUntil(opensAt: number, now: number): number {
  return Math.max(0, Math.floor((opensAt - now) / 86_400_000))
}

export type Around = { currency: string; days: number; budget: number | null }

export function textOf(matter: Matter, around: Around): string {
  const { figures, region, size } = matter.look
  return said(
    `preflight.${matter.name}.${matter.state}`,
    {
      region,
      size: size ?? '',
      lab: matter.look.title,
      needed: figures?.needed ?? 0,
      max: figures?.machines_max ?? 0,
      now: figures?.machines_now ?? 0,
      time: seconds((figures?.begins_seconds ?? 0) + (figures?.boot_seconds ?? 0)),
      cost: money(figures?.cost_micros ?? 0, around.currency),
      budget: money(around.budget ?? 0, around.currency),
      count: around.days,
    },
    matter.text,
  )
}

export function fixOf(matter: Matter): string {
  if (!matter.fix) return ''
  const values = { lab: matter.look.lab }
  return said(`preflight.${matter.name}.${matter.state}.fix`, values, matter.fix)
}
