/**
 * The page is back: seen again after a while, out of the browser's cache (an iPad says only
 * `pageshow` then), or on a network again. What hangs is given up, and everything is asked anew.
 */
type Away = { at: number | null }

/** Shorter looks away, as at another tab, leave requests alone. */
const AWAY_MS = 5_000

/** Calls `back` on every return, until what it returns is called. */
export function watchReturns(back: () => void, wall: () => number = () => Date.now()): () => void {
  const away: Away = { at: document.hidden ? wall() : null }
  const seen = () => {
    if (document.hidden) {
      away.at = wall()
      return
    }
    const long = away.at !== null && wall() - away.at >= AWAY_MS
    away.at = null
    if (long) back()
  }
  const shown = (event: PageTransitionEvent) => {
    if (event.persisted) back()
  }
  document.addEventListener('visibilitychange', seen)
  window.addEventListener('pageshow', shown)
  window.addEventListener('online', back)
  return () => {
    document.removeEventListener('visibilitychange', seen)
    window.removeEventListener('pageshow', shown)
    window.removeEventListener('online', back)
  }
}
