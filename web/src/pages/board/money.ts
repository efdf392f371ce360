/** Money as the page's language writes it. */
import { locale } from '@/i18n'

const MILLION = 1_000_000

/** "$4.39", "$12"; a little that is not nothing is "< $0.01". `micros`: millionths. */
export function money(micros: number, currency: string): string {
  const amount = micros / MILLION
  const whole = amount >= 1 && Number.isInteger(amount)
  const style = new Intl.NumberFormat(locale(), {
    style: 'currency',
    currency: currency || 'USD',
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: whole ? 0 : 2,
    maximumFractionDigits: 2,
  })
  return amount > 0 && amount < 0.01 ? `< ${style.format(0.01)}` : style.format(amount)
}
