/** The router over addresses.ts. Each page is its own chunk, so /join never loads a terminal. */
import { nextTick, type Component } from 'vue'
import { createRouter, createWebHistory, type Router, type RouterHistory } from 'vue-router'
import { addresses, type Address } from './addresses'
import { announce } from './announce'
import { need, type Area } from './i18n'

declare module 'vue-router' {
  interface RouteMeta {
    /** Whose words the page needs beside the shared ones. */
    words?: Area[]
  }
}

declare global {
  interface Window {
    /** Asks for all files of the page at this path; see delivery/preloads.ts. */
    ahead?: (path: string) => void
  }
}

type Page = { default: Component }
const pages = import.meta.glob<Page>('./pages/*Page.vue')
const file = (page: string) => pages[`./pages/${page}.vue`] as () => Promise<Page>

/** A page has drawn itself and asked for its data by then. */
const SETTLED_MS = 1_500

/** A new page begins at its top, for eyes and for readers; within a page nothing moves. */
async function arrive(name: unknown, before: unknown): Promise<void> {
  if (before === undefined || name === before) return
  await nextTick()
  const main = document.getElementById('content')
  main?.setAttribute('tabindex', '-1')
  main?.focus({ preventScroll: true })
  announce(document.title)
}

/** `asking` makes TanStack Query ready; it comes side by side with the pages that ask. */
export function newRouter(
  asking: () => Promise<void>,
  history: RouterHistory = createWebHistory(),
): Router {
  const load = (one: Address) => async (): Promise<Page> => {
    const [page] = await Promise.all([file(one.page)(), one.asks ? asking() : null])
    return page
  }
  const router = createRouter({
    history,
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
    routes: [
      ...addresses.map((one) => ({
        path: one.path,
        name: one.name,
        component: load(one),
        props: true,
        meta: { words: one.words as Area[] },
      })),
      { path: '/:rest(.*)*', name: 'not-found', component: file('NotFoundPage') },
    ],
  })
  // What most people open next is fetched while the line is still good, and not run before it is
  // opened: nobody who is reading the class page should feel a terminal being made ready.
  router.afterEach(({ name, path }, _from, failure) => {
    if (failure || name !== 'class') return
    setTimeout(() => window.ahead?.(`${path}/labs/any`), SETTLED_MS)
  })
  router.beforeEach(({ path }) => window.ahead?.(path))
  // The words come side by side with the page's chunk.
  router.beforeEach((to) => void need(...(to.meta.words ?? [])))
  router.beforeResolve((to) => need(...(to.meta.words ?? [])))
  router.afterEach((to, from, failure) => void (failure || arrive(to.name, from.name)))
  return router
}
