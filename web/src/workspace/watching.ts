/**
 * Checks that run by themselves: once the lab has been quiet for a moment after something happened
 * in it, at most every few seconds, and only while somebody looks.
 */
import { onScopeDispose, watch, type WatchSource } from 'vue'

const QUIET_MS = 1_500
const EVERY_MS = 6_000

/**
 * `activity` changes whenever something happens in the lab. `wanted`: whether there is anything to
 * look for now. `look` runs the checks.
 */
export function useWatching(
  activity: WatchSource<unknown>,
  wanted: () => boolean,
  look: () => void,
  clock: () => number = () => Date.now(),
): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let looked = -Infinity
  let owed = false

  function soon(): void {
    clearTimeout(timer)
    owed = true
    timer = setTimeout(due, Math.max(QUIET_MS, looked + EVERY_MS - clock()))
  }
  function due(): void {
    if (document.hidden) return // owed until the page is seen again
    owed = false
    if (!wanted()) return
    looked = clock()
    look()
  }
  const seen = () => {
    if (!document.hidden && owed) soon()
  }
  watch(activity, () => wanted() && soon())
  document.addEventListener('visibilitychange', seen)
  onScopeDispose(() => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', seen)
  })
}

type Parsed = { onWriteParsed: (heard: () => void) => { dispose: () => void } }

/** Hears of output in terminals that come and go; calls `heard` for each piece of it. */
export function useOutput(terminals: () => readonly Parsed[], heard: () => void): void {
  let listening: { dispose: () => void }[] = []
  const stop = () => listening.forEach((one) => one.dispose())
  watch(
    terminals,
    (all) => {
      stop()
      listening = all.map((one) => one.onWriteParsed(heard))
    },
    { immediate: true },
  )
  onScopeDispose(stop)
}
