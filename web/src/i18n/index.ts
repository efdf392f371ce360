/** Words on the screen. Messages are loaded per locale; nothing visible lives outside of them. */
import { shallowRef } from 'vue'
import { clockTime, figure } from './figures'
import type bench from './en/bench'
import type klass from './en/class'
import type design from './en/design'
import type ending from './en/ending'
import type inFiles from './en/files'
import type join from './en/join'
import type lab from './en/lab'
import type preflight from './en/preflight'
import type shared from './en/shared'
import type teaching from './en/teaching'
import type trainer from './en/trainer'
import type { Hear } from './hearing'
import type { Message } from './message'

export type Locale = 'en' | 'de'
type Areas = {
  shared: typeof shared
  join: typeof join
  class: typeof klass
  lab: typeof lab
  bench: typeof bench
  ending: typeof ending
  files: typeof inFiles
  trainer: typeof trainer
  teaching: typeof teaching
  preflight: typeof preflight
  design: typeof design
}
/** Part of the app whose words are loaded together; `en/` and `de/` have a file for each. */
export type Area = keyof Areas
export type Key = { [A in Area]: keyof Areas[A] }[Area]
type Words = Partial<Record<Key, Message>>
type Values = Record<string, string | number>

const files = import.meta.glob<{ default: Words }>(['./{en,de}/*.ts', '!./*/server.ts'])
// The server speaks English.
const hears = import.meta.glob<{ default: { hear: Hear } }>('./*/server.ts')
export const locales: readonly { id: Locale; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'de', name: 'Deutsch' },
]
const KEPT = 'brihaspati.locale'

const hearing = shallowRef<Hear>((text) => text)
/** A sentence of the server in the language on screen, or as it came (reactive). */
export const heard: Hear = (text) => hearing.value(text)

async function learn(wanted: Locale): Promise<void> {
  const found = await hears[`./${wanted}/server.ts`]?.()
  if (locale() === wanted) hearing.value = found?.default.hear ?? ((text) => text)
}

type Spoken = { locale: Locale; messages: Words; rules: Intl.PluralRules }
const spoken = shallowRef<Spoken>({
  locale: 'en',
  messages: {},
  rules: new Intl.PluralRules('en'),
})
const needed = new Set<Area>(['shared'])

/** The locale on screen now (reactive). */
export function locale(): Locale {
  return spoken.value.locale
}

function known(tag: string | null | undefined): Locale | null {
  const language = tag?.slice(0, 2).toLowerCase()
  return locales.find((entry) => entry.id === language)?.id ?? null
}

/** What this person would want: their own choice, else the browser's languages, else English. */
export function preferred(store: Storage | null, languages: readonly string[]): Locale {
  const chosen = known(store?.getItem(KEPT))
  return chosen ?? languages.map(known).find((found) => found !== null) ?? 'en'
}

async function load(locale: Locale, areas: Iterable<Area>): Promise<Words> {
  const parts = [...areas].map(async (area) => {
    const file = files[`./${locale}/${area}.ts`]
    return file ? (await file()).default : {}
  })
  return Object.assign({}, ...(await Promise.all(parts))) as Words
}

/** Load and show a locale; the page keeps its old words until the new ones are here. */
export async function speak(wanted: Locale, store: Storage | null = null): Promise<void> {
  const before = needed.size
  const messages = await load(wanted, needed)
  if (needed.size > before) return speak(wanted, store) // a page's words have come meanwhile
  spoken.value = { locale: wanted, messages, rules: new Intl.PluralRules(wanted) }
  document.documentElement.lang = wanted
  store?.setItem(KEPT, wanted)
  learn(wanted).catch(() => {}) // a lost piece makes itself known: reloading.ts
}

/** Have the words of these areas too, from now on and in every language. */
export async function need(...areas: Area[]): Promise<void> {
  const missing = areas.filter((area) => !needed.has(area))
  if (missing.length === 0) return
  const { locale: wanted } = spoken.value
  const more = await load(wanted, missing)
  missing.forEach((area) => needed.add(area))
  if (spoken.value.locale !== wanted) return speak(spoken.value.locale)
  spoken.value = { ...spoken.value, messages: { ...spoken.value.messages, ...more } }
}

/** The text of a message with `{name}` filled in; `{count}` chooses between one and other. */
export function t(key: Key, values: Values = {}): string {
  const { messages, rules, locale: tag } = spoken.value
  const message = messages[key] ?? key
  const text =
    typeof message === 'string'
      ? message
      : rules.select(Number(values.count)) === 'one'
        ? message.one
        : message.other
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    if (typeof value !== 'number') return value ?? whole
    return Number.isInteger(value) ? figure(value, tag) : value.toLocaleString(tag)
  })
}

/** "14:05", or "Tue, 24 Nov, 14:05" when it is not the day of `now`. */
export function moment(at: number, now: number): string {
  const tag = spoken.value.locale === 'en' ? 'en-GB' : spoken.value.locale
  const date = new Date(at)
  if (date.toDateString() === new Date(now).toDateString()) return clockTime(at)
  const day = { weekday: 'short', day: 'numeric', month: 'short' } as const
  return date.toLocaleString(tag, { ...day, hour: '2-digit', minute: '2-digit' })
}

/** "35 min", "1 h", "2 h 15 min". */
export function minutes(total: number): string {
  const hours = Math.floor(total / 60)
  const rest = Math.round(total % 60)
  if (hours === 0) return t('time.minutes', { count: rest })
  if (rest === 0) return t('time.hours', { count: hours })
  return t('time.hours_minutes', { hours, minutes: rest })
}
