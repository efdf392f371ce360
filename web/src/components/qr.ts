/** A QR code as one path of squares. A chunk of its own: few pages draw one. */
import { encode } from 'uqr'

/** `size` modules a side, with the quiet edge that scanners need. */
export function qrPath(text: string): { size: number; path: string } {
  const { data, size } = encode(text, { ecc: 'M', border: 2 })
  const rows = data.map((row, y) =>
    row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')).join(''))
  return { size, path: rows.join('') }
}
