/** The control key of the key bar: it holds for the next key, as if both were pressed. */
const CURSOR = /^\x1b(?:\[|O)([A-DFH])$/

/** What a key sends together with Control. Keys that have no such form send what they are. */
export function withControl(text: string): string {
  const cursor = CURSOR.exec(text)
  if (cursor) return `\x1b[1;5${cursor[1] ?? ''}`
  const [first = ''] = text
  if (text.length !== first.length) return text // a paste, a word of a soft keyboard
  if (/[a-z@[\\\]^_]/i.test(first)) {
    return String.fromCharCode(first.toUpperCase().charCodeAt(0) & 31)
  }
  if (first === ' ') return '\0'
  if (first === '-' || first === '/') return '\x1f' // undo, as terminals have it
  if (first === '?') return '\x7f'
  return text
}
