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

const ahead = import.meta.glob(['./terminal/session.ts', './terminal/world.ts'])
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
  /** Pages that most people open next are fetched while the line is still good. */
  const ready = (name: string) => {
    const next = addresses.find((one) => one.name === name)
    if (!next) return
    const parts = next.ahead.map((part) => ahead[`./${part}`]?.())
    // Without them the page asks again when it is opened, and only then is it worth a word.
    void Promise.all([load(next)(), need(...(next.words as Area[])), ...parts]).catch(() => null)
  }
  router.afterEach((to, _from, failure) => {
    if (!failure && to.name === 'class') setTimeout(() => ready('lab'), SETTLED_MS)
  })
  router.beforeEach(({ path }) => window.ahead?.(path))
  // The words come side by side with the page's chunk.
  router.beforeEach((to) => void need(...(to.meta.words ?? [])))
  router.beforeResolve((to) => need(...(to.meta.words ?? [])))
  router.afterEach((to, from, failure) => void (failure || arrive(to.name, from.name)))
  return router
}
