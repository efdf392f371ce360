import { vi } from 'vitest'

const PATIENCE_MS = 60_000
const LOOK_MS = 10
// The real ones, whatever a test has put in their place.
const wait = globalThis.setTimeout
const now = performance.now.bind(performance)

/**
 * Wait for something to be true; generous, because a busy machine is not a failing test. A clock
 * that is pretended goes on by a millisecond with each look: while a part is loaded, no time is up.
 */
export async function until(met: () => unknown): Promise<void> {
  for (const ends = now() + PATIENCE_MS; !met(); ) {
    if (now() > ends) throw new Error(`it did not come true in time: ${met}`)
    if (vi.isFakeTimers()) await vi.advanceTimersByTimeAsync(1)
    await new Promise((done) => wait(done, LOOK_MS))
  }
}
