/** Addresses of the app. Each page is its own chunk, so that /join never loads a terminal. */
import type { Component } from 'vue'
import { createRouter, createWebHistory, type Router } from 'vue-router'
import { need, type Area } from './i18n'

declare module 'vue-router' {
  interface RouteMeta {
    /** Whose words the page needs beside the shared ones. */
    words?: Area[]
  }
}

type Load = () => Promise<{ default: Component }>
const page = (path: string, name: string, component: Load, ...words: Area[]) => ({
  path,
  name,
  component,
  props: true,
  meta: { words },
})

export function newRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
    routes: [
      page('/', 'home', () => import('./pages/HomePage.vue'), 'join'),
      page('/join/:code?', 'join', () => import('./pages/JoinPage.vue'), 'join'),
      page('/sign-in', 'sign-in', () => import('./pages/SignInPage.vue'), 'join'),
      page('/c/:classId', 'class', () => import('./pages/ClassPage.vue'), 'class'),
      page('/c/:classId/labs/:lab', 'lab', () => import('./pages/LabPage.vue'), 'lab', 'bench'),
      page('/c/:classId/board', 'board', () => import('./pages/BoardPage.vue'), 'trainer'),
      page('/:rest(.*)*', 'not-found', () => import('./pages/NotFoundPage.vue')),
    ],
  })
  // The words come side by side with the page's chunk.
  router.beforeEach((to) => void need(...(to.meta.words ?? [])))
  router.beforeResolve((to) => need(...(to.meta.words ?? [])))
  return router
}
