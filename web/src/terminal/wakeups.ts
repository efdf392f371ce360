/**
 * When to look whether the line is alive: the page is visible again, came back from the browser's
 * cache (iPads send only `pageshow` then), or the network returned. And when to be quiet.
 */
export type Sleeper = { wake: () => void; sleep: () => void }

export function watchWakeups(sleeper: Sleeper): () => void {
  const seen = () => (document.hidden ? sleeper.sleep() : sleeper.wake())
  const shown = (event: PageTransitionEvent) => {
    if (event.persisted) sleeper.wake()
  }
  const network = () => {
    if (!document.hidden) sleeper.wake()
  }
  document.addEventListener('visibilitychange', seen)
  window.addEventListener('pageshow', shown)
  window.addEventListener('online', network)
  window.addEventListener('offline', network)
  return () => {
    document.removeEventListener('visibilitychange', seen)
    window.removeEventListener('pageshow', shown)
    window.removeEventListener('online', network)
    window.removeEventListener('offline', network)
  }
}
