import { vi } from 'vitest'

/** Wait for something to be true; generous, because a busy machine is not a failing test. */
export function until(met: () => unknown): Promise<unknown> {
  return vi.waitUntil(met, { timeout: 20_000, interval: 10 })
}
