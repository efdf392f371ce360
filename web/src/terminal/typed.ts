/** What was typed while nobody could take it: kept, up to a limit, in order. */
export const TYPED_BYTES_MAX = 4096

const SIGNS: Record<string, string> = { '\r': '⏎', '\t': '⇥', '\x7f': '⌫', '\x1b': '⎋' }

export class Typed {
  private chunks: Uint8Array[] = []
  private size = 0

  /** Keep these bytes. False when they do not fit: then none of them are kept. */
  add(bytes: Uint8Array): boolean {
    if (this.size + bytes.length > TYPED_BYTES_MAX) return false
    this.chunks.push(bytes)
    this.size += bytes.length
    return true
  }

  /** Hand out everything and be empty. */
  take(): Uint8Array {
    const all = this.joined()
    this.drop()
    return all
  }

  drop(): void {
    this.chunks = []
    this.size = 0
  }

  get empty(): boolean {
    return this.size === 0
  }

  /** As a person would read it: control keys as one sign each. */
  get text(): string {
    const text = new TextDecoder().decode(this.joined())
    return Array.from(text, (sign) => SIGNS[sign] ?? (sign < ' ' ? '·' : sign)).join('')
  }

  private joined(): Uint8Array {
    const all = new Uint8Array(this.size)
    let at = 0
    for (const chunk of this.chunks) {
      all.set(chunk, at)
      at += chunk.length
    }
    return all
  }
}
