/** Which files a page needs, read from what the build knows about its chunks. */
import type { Address } from '../src/addresses.ts'

/** A chunk as Vite's manifest and its bundle both have it. `imports` are keys of other chunks. */
export type Chunk = { file: string; imports: readonly string[]; css: readonly string[] }
/** By key: a source file ("src/pages/JoinPage.vue") or what the bundler calls it. */
export type Chunks = Readonly<Record<string, Chunk>>

export const ENTRY = 'index.html'
export const LOCALES = ['en', 'de'] as const
export type Locale = (typeof LOCALES)[number]

/** The sources a page starts with, beside the entry; everything they import statically follows. */
export function sources(one: Address): string[] {
  const more = one.asks ? ['api/asking.ts', ...one.ahead] : one.ahead
  return [`pages/${one.page}.vue`, ...more].map((name) => `src/${name}`)
}

/**
 * What a page loads by itself later, for some people or some labs: it is weighed with the page and
 * not asked for ahead. Parts that only a press brings are not here; of those that come by
 * themselves only WebGL's drawing is not, which the terminal does without until it is there.
 */
const LATER: Readonly<Record<string, readonly string[]>> = {
  class: ['pages/preflight/PreflightCard.vue'],
  lab: ['QuizCard', 'KeyBar', 'ExpiryNotice', 'TrainerWords'].map((one) => `workspace/${one}.vue`),
}

/** All sources whose chunks a page loads without a press, words apart. */
export function weighed(one: Address): string[] {
  return [ENTRY, ...sources(one), ...(LATER[one.name] ?? []).map((name) => `src/${name}`)]
}

/** The words of a page in one language. */
export function words(one: Address, locale: Locale): string[] {
  return ['shared', ...one.words].map((area) => `src/i18n/${locale}/${area}.ts`)
}

/** All chunks that these import, and they themselves, once each. Throws on an unknown key. */
export function closure(chunks: Chunks, keys: readonly string[]): Set<string> {
  const found = new Set<string>()
  const visit = (key: string): void => {
    if (found.has(key)) return
    const chunk = chunks[key]
    if (!chunk) throw new Error(`No chunk for ${key}`)
    found.add(key)
    chunk.imports.forEach(visit)
  }
  keys.forEach(visit)
  return found
}
