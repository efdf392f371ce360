/**
 * Looks whether the service is back while it is lost, and has everything on the page asked anew
 * once it is: one small request every few seconds instead of all of them.
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
  const look = async () => {
    if (!document.hidden) await calls.health().catch(() => undefined)
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
    stopWatching()
    stopReturns()
    stopCounting()
  }
}
