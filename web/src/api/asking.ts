/** TanStack Query, made ready with the first page that asks through it. */
import { VueQueryPlugin, type QueryClient } from '@tanstack/vue-query'
import type { App } from 'vue'
import { chance } from '@/chance'
import { keepLookout } from './lookout'
import { newQueryClient } from './queries'

let client: QueryClient | null = null

export function startAsking(app: App): void {
  if (client) return
  client = newQueryClient(chance)
  app.use(VueQueryPlugin, { queryClient: client })
  keepLookout(client, chance)
}

/** Somebody joined or left: what was known about the one before is not true any more. */
export function forgetWhoIsHere(): void {
  client?.clear()
}
