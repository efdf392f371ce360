import { expect, it } from 'vitest'
import { speak } from '@/i18n'
import { clockTime, figure, percent } from '@/i18n/figures'
import { money } from '@/pages/board/money'

const LOCALES = ['en', 'de'] as const
const AMOUNTS = [0, 0.01, 0.5, 1, 4.39, 12, 38.05, 998, 999.99, 1000, 1234.5, 20_000]

/** No "-0.00", which is nothing. */
const SIGNED = { signDisplay: 'negative' } as unknown as Intl.NumberFormatOptions
/** Every half, and what is just beside one, up to where figures are handed to the browser. */
function* halves(digits: number): Generator<number> {
  for (let whole = 0; whole < 999 * 10 ** digits; whole += 1 + Math.floor(whole / 8)) {
    for (const end of ['4', '5', '6', '49999', '50001']) {
      yield Number(`${whole}${end}e-${digits + end.length}`)
    }
  }
}

it.each(LOCALES)('rounds numbers as the browser does in %s, halves and below nought', (tag) => {
  for (const digits of [0, 1, 2, 3]) {
    const exactly = { minimumFractionDigits: digits, maximumFractionDigits: digits, ...SIGNED }
    const browser = new Intl.NumberFormat(tag, exactly)
    for (const half of [...halves(digits), 1e-7, 4.9e-7, 998.9995]) {
      for (const value of [half, -half]) {
        expect([value, figure(value, tag, digits)]).toEqual([value, browser.format(value)])
      }
    }
  }
})

it.each(LOCALES)('rounds shares and prices as the browser does in %s', async (tag) => {
  await speak(tag)
  const shares = new Intl.NumberFormat(tag, { style: 'percent' })
  for (const share of [...halves(2), 1.005]) {
    expect([share, percent(share, tag)]).toEqual([share, shares.format(share)])
  }
  for (const currency of ['USD', 'CAD']) {
    const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2, ...SIGNED }
    const prices = new Intl.NumberFormat(tag, { style: 'currency', currency, ...digits })
    for (const amount of [...halves(2), 0.015, 1.005]) {
      if (amount < 0.01 || Number.isInteger(amount)) continue
      for (const value of [amount, -amount]) {
        const micros = Number(`${value}e6`)
        expect([value, money(micros, currency)]).toEqual([value, prices.format(value)])
      }
    }
  }
})

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
