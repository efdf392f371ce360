/** A number from 0 up to 1. The one place chance comes from; everything else takes it as given. */
export function chance(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32
}
