/** Drawing a page in pieces: what is looked at first is there first, and a press is not held up. */
import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { later } from './turn'

const FRAME_MS = 250

/** How a frame is waited for; a hidden page draws none, so nothing waits for it there. */
export type Frames = { hidden: () => boolean; next: (done: () => void) => void }

const browser: Frames = {
  hidden: () => document.hidden,
  next: (done) => {
    let waiting = true
    const go = () => {
      if (waiting) later(done) // what is done then does not hold up the frame
      waiting = false
    }
    requestAnimationFrame(go)
    setTimeout(go, FRAME_MS) // a busy or covered page may draw none: nothing waits for ever
  },
}

/** Frames for the first `count` pieces; what comes below them only leaves room for presses. */
export function seenFirst(count: number, frames: Frames = browser): Frames {
  let left = count
  const next = (done: () => void) => (left-- > 0 ? frames.next(done) : later(done))
  return { hidden: frames.hidden, next }
}

/** When what is in the page by now was drawn, in a task of its own. */
export function painted(frames: Frames = browser): Promise<void> {
  return new Promise((done) => (frames.hidden() ? done() : frames.next(done)))
}

/**
 * Counts from 0 to `last`: to 1 at once when `begin` is true, and then by one with every frame that
 * was drawn. A page shows one more piece with every count; it never counts down.
 */
export function useStages(
  last: number | (() => number),
  begin: () => boolean = () => true,
  frames: Frames = browser,
): Readonly<Ref<number>> {
  const stage = ref(0)
  const end = typeof last === 'number' ? () => last : last
  let waiting = false
  let over = false

  function step(): void {
    waiting = false
    if (over) return
    stage.value += 1
    goOn()
  }
  function goOn(): void {
    if (waiting || stage.value === 0 || stage.value >= end()) return
    if (frames.hidden()) stage.value = end()
    else {
      waiting = true
      frames.next(step)
    }
  }
  watch(
    [begin, end],
    ([may]) => {
      if (may && stage.value === 0) stage.value = 1
      goOn()
    },
    { immediate: true },
  )
  onScopeDispose(() => (over = true))
  return stage
}
