/**
 * Numbers as a language writes them. Small ones are written here: whatever first asks the browser's
 * Intl for a number or a time of day waits 30 to 70 ms in Chromium, in the middle of a first draw.
 */
const GROUPED = 999
type Tag = 'en' | 'de'

/** Below this a number is written with an exponent, and is nothing in any figure of ours. */
const LEAST = 1e-6

/** The value, its point moved by `places`, to the nearest whole number, as it is written. */
const nearest = (value: number, places: number) =>
  value < LEAST ? 0 : Math.round(Number(`${value}e${places}`))

/** "12", "4.39" ("4,39"), "12,000": with exactly `digits` after the point; halves go up. */
export function figure(value: number, tag: Tag, digits = 0): string {
  if (Math.abs(value) > GROUPED) {
    const exactly = { minimumFractionDigits: digits, maximumFractionDigits: digits }
    return value.toLocaleString(tag, exactly)
  }
  const whole = nearest(Math.abs(value), digits)
  const plain = (whole / 10 ** digits).toFixed(digits)
  const sign = value < 0 && whole ? '-' : ''
  return sign + (tag === 'de' ? plain.replace('.', ',') : plain)
}

/** "14:05", for both languages. */
export function clockTime(at: number): string {
  const date = new Date(at)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}`
}

/** "35%", "35 %". `share`: 0 to 1, or more. */
export function percent(share: number, tag: Tag): string {
  return `${figure(nearest(share, 2), tag)}${tag === 'de' ? '\u00a0' : ''}%`
}
