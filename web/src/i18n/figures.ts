/**
 * Numbers as a language writes them. Small ones are written here: whatever first asks the browser's
 * Intl for a number or a time of day waits 30 to 70 ms in Chromium, in the middle of a first draw.
 */
const GROUPED = 999
type Tag = 'en' | 'de'

/** "12", "4.39" ("4,39"), "12,000": with exactly `digits` after the point. */
export function figure(value: number, tag: Tag, digits = 0): string {
  if (Math.abs(value) > GROUPED) {
    const exactly = { minimumFractionDigits: digits, maximumFractionDigits: digits }
    return value.toLocaleString(tag, exactly)
  }
  const plain = value.toFixed(digits)
  return tag === 'de' ? plain.replace('.', ',') : plain
}

/** "14:05", for both languages. */
export function clockTime(at: number): string {
  const date = new Date(at)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}`
}

/** "35%", "35 %". `share`: 0 to 1, or more. */
export function percent(share: number, tag: Tag): string {
  return `${figure(Math.round(share * 100), tag)}${tag === 'de' ? '\u00a0' : ''}%`
}
