import { expect, it } from 'vitest'
import { speak } from '@/i18n'
import { clockTime, figure, percent } from '@/i18n/figures'
import { money } from '@/pages/board/money'

const LOCALES = ['en', 'de'] as const
const AMOUNTS = [0, 0.01, 0.5, 1, 4.39, 12, 38.05, 998, 999.99, 1000, 1234.5, 20_000]

it.each(LOCALES)('writes numbers as the browser does in %s', (tag) => {
  for (const value of [...AMOUNTS, -7, -1500]) {
    for (const digits of [0, 2]) {
      const exactly = { minimumFractionDigits: digits, maximumFractionDigits: digits }
      if (digits === 0 && !Number.isInteger(value)) continue
      expect(figure(value, tag, digits)).toBe(value.toLocaleString(tag, exactly))
    }
  }
})

it.each(LOCALES)('writes shares as the browser does in %s', (tag) => {
  for (const share of [0, 0.004, 0.42, 1, 1.5, 12]) {
    expect(percent(share, tag)).toBe(share.toLocaleString(tag, { style: 'percent' }))
  }
})

it.each(LOCALES)('writes prices as the browser does in %s', async (tag) => {
  await speak(tag)
  for (const currency of ['USD', 'EUR', 'GBP', 'INR', 'CHF', 'JPY']) {
    for (const amount of AMOUNTS) {
      const digits = amount >= 1 && Number.isInteger(amount) ? 0 : 2
      const style = new Intl.NumberFormat(tag, {
        style: 'currency',
        currency,
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      })
      expect(money(amount * 1e6, currency)).toBe(style.format(amount))
    }
  }
})

it('writes the time of day with two digits each', () => {
  expect(clockTime(new Date(2026, 10, 24, 9, 5).getTime())).toBe('09:05')
})
