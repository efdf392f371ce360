/** Words on the screen. Messages are loaded per locale; nothing visible lives outside of them. */
import { shallowRef } from 'vue'
import type en from './en'

export type Locale = 'en' | 'de'
export type Plural = { one: string; other: string }
export type Message = string | Plural
export type Key = keyof typeof en
export type Messages = Record<Key, Message>
type Values = Record<string, string | number>

const loaders: Record<Locale, () => Promise<{ default: Messages }>> = {
  en: () => import('./en'),
  de: () => import('./de'),
}
export const locales: readonly { id: Locale; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'de', name: 'Deutsch' },
]
const KEPT = 'brihaspati.locale'

type Spoken = { locale: Locale; messages: Messages | null; rules: Intl.PluralRules }
const spoken = shallowRef<Spoken>({
  locale: 'en',
  messages: null,
  rules: new Intl.PluralRules('en'),
})

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

/** Load and show a locale; the page keeps its old words until the new ones are here. */
export async function speak(wanted: Locale, store: Storage | null = null): Promise<void> {
  const { default: messages } = await loaders[wanted]()
  spoken.value = { locale: wanted, messages, rules: new Intl.PluralRules(wanted) }
  document.documentElement.lang = wanted
  store?.setItem(KEPT, wanted)
}

/** The text of a message with `{name}` filled in; `{count}` chooses between one and other. */
export function t(key: Key, values: Values = {}): string {
  const { messages, rules, locale: tag } = spoken.value
  const message = messages?.[key] ?? key
  const text =
    typeof message === 'string'
      ? message
      : rules.select(Number(values.count)) === 'one'
        ? message.one
        : message.other
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    return typeof value === 'number' ? value.toLocaleString(tag) : (value ?? whole)
  })
}

/** "14:05", or "Tue, 24 Nov, 14:05" when it is not the day of `now`. */
export function moment(at: number, now: number): string {
  const tag = spoken.value.locale === 'en' ? 'en-GB' : spoken.value.locale
  const date = new Date(at)
  const sameDay = date.toDateString() === new Date(now).toDateString()
  const day = sameDay ? {} : ({ weekday: 'short', day: 'numeric', month: 'short' } as const)
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
