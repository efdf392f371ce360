import { afterEach, expect, it } from 'vitest'
import { minutes, moment, need, preferred, speak, t, type Key } from '@/i18n'
import type { Message } from '@/i18n/message'

afterEach(() => speak('en'))
const files = import.meta.glob<{ default: Record<string, Message> }>('../src/i18n/{en,de}/*.ts', {
  eager: true,
})
const said = (path: string) => files[path]!.default
const areas = Object.keys(files).filter((path) => path.includes('/en/'))
const forms = (message: Message) =>
  typeof message === 'string' ? [message] : [message.one, message.other]
const holes = (message: Message) =>
  [...new Set(forms(message).flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort()

it.each(areas)('%s has the same messages with the same holes in both languages', (path) => {
  const [en, de] = [said(path), said(path.replace('/en/', '/de/'))]
  expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort())
  for (const [key, message] of Object.entries(en)) {
    expect([key, typeof de[key]]).toEqual([key, typeof message])
    expect([key, holes(de[key]!)]).toEqual([key, holes(message)])
  }
})

it('says each thing in one area only', () => {
  const keys = areas.flatMap((path) => Object.keys(said(path)))
  expect(keys).toEqual([...new Set(keys)])
})

it('fills holes, chooses the plural and writes numbers as the language does', async () => {
  expect(t('lab.steps', { count: 1 })).toBe('1 step')
  expect(t('lab.steps', { count: 1200 })).toBe('1,200 steps')
  await speak('de')
  expect(t('lab.steps', { count: 1200 })).toBe('1.200 Schritte')
  expect(document.documentElement.lang).toBe('de')
})

it('keeps the words of a page that come while a language is loading', async () => {
  await Promise.all([need('design'), speak('de')])
  const [key, words] = Object.entries(said('../src/i18n/de/design.ts'))[0]!
  expect(t(key as Key)).toBe(typeof words === 'string' ? words : words.other)
})

it('takes the choice made here first, then the browser’s languages, then English', () => {
  localStorage.setItem('brihaspati.locale', 'de')
  expect(preferred(localStorage, ['en'])).toBe('de')
  localStorage.removeItem('brihaspati.locale')
  expect(preferred(localStorage, ['hi', 'de-AT', 'en'])).toBe('de')
  expect(preferred(null, ['hi'])).toBe('en')
})

it('writes durations and moments', () => {
  expect([35, 60, 135].map(minutes)).toEqual(['35 min', '1 h', '2 h 15 min'])
  const noon = new Date(2026, 10, 24, 12, 5).getTime()
  expect(moment(noon, noon)).toBe('12:05')
  expect(moment(noon, noon + 86_400_000)).toContain('24')
})
