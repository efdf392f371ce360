/** What went wrong with a file, in words for the student. */
import { t, type Key } from '@/i18n'
import type { ProblemKind } from './link'

const KEYS: Record<ProblemKind, Key> = {
  changed: 'files.changed',
  exists: 'files.exists',
  missing: 'files.missing',
  wrong_kind: 'files.wrong_kind',
  special: 'files.special',
  denied: 'files.denied',
  large: 'files.large',
  slow: 'files.slow',
  gone: 'files.gone',
  broken: 'files.broken',
  lost: 'files.lost',
  problem: 'files.problem',
}

/** `words` are the machine's own, where it has any that we do not know. */
export function said(kind: ProblemKind, words = ''): string {
  return t(KEYS[kind] ?? 'files.problem', { words })
}

/** "12 KB", as a person would say it. */
export function sizeWords(bytes: number): string {
  if (bytes < 1000) return t('files.bytes', { count: bytes })
  const kilo = bytes / 1000
  return kilo < 1000
    ? t('files.kilobytes', { count: Math.round(kilo) })
    : t('files.megabytes', { count: Math.round(kilo / 100) / 10 })
}
