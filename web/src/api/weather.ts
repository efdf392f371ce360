/**
 * How the way to the service is, as one line on every page says it: calm, slow (an answer is late)
 * or lost (tries fail). Read from every request, so that no page has to count anything.
 */
import { computed, shallowRef, type ComputedRef, type Ref } from 'vue'

export type Weather = 'calm' | 'slow' | 'lost'
export type After = (ms: number, then: () => void) => () => void
/** One request on its way. Call exactly one of them, once. */
export type Flight = { landed: () => void; failed: () => void; dropped: () => void }

/** A late answer is worth a word after this long; a lost one is not, if the next one lands. */
export const PATIENCE_MS = 2_000

export class WeatherStation {
  private readonly late = shallowRef(0)
  private readonly lost = shallowRef(false)
  private readonly lastGood = shallowRef<number | null>(null)
  private readonly kept = shallowRef(0)
  private readonly held = shallowRef(0)
  private stopCounting: (() => void) | null = null

  readonly now: ComputedRef<Weather> = computed(() => {
    if (this.lost.value) return 'lost'
    return this.late.value > 0 ? 'slow' : 'calm'
  })
  /** When something was last answered (ms); null before the first answer. */
  readonly goodAt: Readonly<Ref<number | null>> = this.lastGood
  /** How many presses wait for the service to come back. */
  readonly presses: ComputedRef<number> = computed(() => this.kept.value + this.held.value)

  constructor(
    private readonly wall: () => number,
    private readonly after: After,
  ) {}

  /** A request leaves; `mayTake` (ms) is how long its answer may take by its own wish. */
  leaves(mayTake = 0): Flight {
    let late = false
    const stop = this.after(PATIENCE_MS + mayTake, () => {
      late = true
      this.late.value += 1
    })
    const over = () => {
      stop()
      if (late) this.late.value -= 1
      late = false
    }
    return {
      dropped: over,
      landed: () => {
        over()
        this.cleared()
      },
      failed: () => {
        over()
        this.stopCounting ??= this.after(PATIENCE_MS, () => (this.lost.value = true))
      },
    }
  }

  /** So many presses wait in the query library now. */
  keeps(presses: number): void {
    this.kept.value = presses
  }

  /** One more press waits, elsewhere, until what this returns is called. */
  holds(): () => void {
    this.held.value += 1
    return () => (this.held.value -= 1)
  }

  private cleared(): void {
    this.stopCounting?.()
    this.stopCounting = null
    this.lost.value = false
    this.lastGood.value = this.wall()
  }
}

export const weather = new WeatherStation(
  () => Date.now(),
  (ms, then) => {
    const timer = setTimeout(then, ms)
    return () => clearTimeout(timer)
  },
)
