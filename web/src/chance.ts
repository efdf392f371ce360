/** A number from 0 up to 1. The one place chance comes from; everything else takes it as given. */
export function chance(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32
}

/** A secret of one press of a button: the server knows a repeated request by it. */
export function newKey(): string {
  const parts = crypto.getRandomValues(new Uint32Array(4))
  return Array.from(parts, (part) => part.toString(36).padStart(7, '0')).join('')
}
