/** How long to wait before the n-th try (from 1): 0.3 to 8 s, spread by chance over all of it. */
const FIRST_MS = 300
const MAX_MS = 8_000
const LEAST_MS = 50

export function backoff(attempt: number, chance: () => number): number {
  const span = Math.min(MAX_MS, FIRST_MS * 2 ** (attempt - 1))
  return Math.max(LEAST_MS, chance() * span)
}
