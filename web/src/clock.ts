/**
 * The server's time. Every answer carries its `now`; countdowns use it, so that a laptop whose
 * clock is wrong still shows the minutes that are really left.
 */
import { onScopeDispose, ref, type Ref } from 'vue'

type Sample = { offset: number; trip: number; at: number }

const SAMPLE_KEPT_MS = 60_000
const JUMP_MS = 2_000

export class ServerClock {
  private best: Sample | null = null
  constructor(private readonly wall: () => number = () => Date.now()) {}

  /** Take in an answer's `now` (ms), with the wall times its request left and came back (ms). */
  note(now: number, left: number, back: number): void {
    const trip = Math.max(0, back - left)
    const sample = { offset: now - (left + back) / 2, trip, at: back }
    const best = this.best
    const stale = !best || back - best.at > SAMPLE_KEPT_MS || back < best.at
    const jumped = best && Math.abs(sample.offset - best.offset) > JUMP_MS + (trip + best.trip) / 2
    if (stale || jumped || trip <= best.trip) this.best = sample
  }

  /** Now, in ms since the epoch, as the server would say it. */
  now(): number {
    return this.wall() + (this.best?.offset ?? 0)
  }
}

export const serverClock = new ServerClock()

/** The server's time as a ref that moves each `every` ms while the page is visible. */
export function useNow(every = 1000, clock: ServerClock = serverClock): Ref<number> {
  const now = ref(clock.now())
  let timer: ReturnType<typeof setTimeout> | undefined
  function tick(): void {
    now.value = clock.now()
    // Aligned with the server's whole seconds, so that two countdowns change together.
    timer = setTimeout(tick, every - (Math.floor(now.value) % every))
  }
  function turn(): void {
    clearTimeout(timer)
    if (!document.hidden) tick()
  }
  turn()
  document.addEventListener('visibilitychange', turn)
  onScopeDispose(() => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', turn)
  })
  return now
}

/** "42:18", "1:02:09"; never negative. */
export function countdown(leftMs: number): string {
  const total = Math.max(0, Math.ceil(leftMs / 1000))
  const pad = (part: number) => String(part).padStart(2, '0')
  const hours = Math.floor(total / 3600)
  const tail = `${pad(Math.floor(total / 60) % 60)}:${pad(total % 60)}`
  return hours > 0 ? `${hours}:${tail}` : tail
}
