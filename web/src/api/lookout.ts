/**
 * Looks whether the service is back while it is lost, and has everything on the page asked anew
 * once it is: one small request every few seconds instead of all of them. And at once whether it is
 * there, when the browser says that it has no network: a page may ask nothing for a minute.
 */
import type { QueryClient } from '@tanstack/vue-query'
import { watch } from 'vue'
import * as calls from './calls'
import { watchReturns } from './returning'
import { weather } from './weather'

const EVERY_MS = 3_000

/** Starts; returns what stops it. */
export function keepLookout(client: QueryClient, chance: () => number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  // What is being asked already is not asked twice.
  const anew = () => void client.refetchQueries({ type: 'active' }, { cancelRefetch: false })
  const ask = async () => {
    if (!document.hidden) await calls.health().catch(() => undefined)
  }
  // The browser may be wrong, as on a machine that serves itself: an answer tells the truth.
  const offline = () => void ask()
  window.addEventListener('offline', offline)
  const look = async () => {
    await ask()
    if (weather.now.value === 'lost') later()
  }
  const later = () => (timer = setTimeout(() => void look(), EVERY_MS * (0.5 + chance())))
  const stopWatching = watch(weather.now, (now, before) => {
    clearTimeout(timer)
    if (now === 'lost') later()
    else if (before === 'lost') anew()
  })
  const stopReturns = watchReturns(anew)
  const stopCounting = client.getMutationCache().subscribe(() => {
    const pressed = client.getMutationCache().findAll({ status: 'pending' })
    const kept = pressed.filter(({ state }) => state.failureCount > 0 || state.isPaused)
    weather.keeps(kept.filter(({ meta }) => !meta?.quiet).length)
  })
  return () => {
    clearTimeout(timer)
    window.removeEventListener('offline', offline)
    stopWatching()
    stopReturns()
    stopCounting()
  }
}
