/** Money as the page's language writes it. */
import { locale } from '@/i18n'
import { figure } from '@/i18n/figures'

const MILLION = 1_000_000
const SIGNS: Record<string, string> = { USD: '$', EUR: '€' }

/** "$4.39", "4,39 €", "$12". `currency`: of ISO 4217. */
function price(amount: number, currency: string): string {
  const tag = locale()
  const digits = amount >= 1 && Number.isInteger(amount) ? 0 : 2
  const sign = SIGNS[currency]
  if (!sign) {
    return amount.toLocaleString(tag, {
      style: 'currency',
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    })
  }
  const said = figure(amount, tag, digits)
  return tag === 'de' ? `${said}\u00a0${sign}` : said.replace(/^-?/, (minus) => minus + sign)
}

/** A little that is not nothing is "< $0.01". `micros`: millionths. */
export function money(micros: number, currency: string): string {
  const amount = micros / MILLION
  const little = amount > 0 && amount < 0.01
  return little ? `< ${price(0.01, currency || 'USD')}` : price(amount, currency || 'USD')
}
