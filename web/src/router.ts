/** Addresses of the app. Each page is its own chunk, so that /join never loads a terminal. */
import { createRouter, createWebHistory, type Router } from 'vue-router'

export function newRouter(): Router {
  return createRouter({
    history: createWebHistory(),
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
    routes: [
      { path: '/', name: 'home', component: () => import('./pages/HomePage.vue') },
      {
        path: '/join/:code?',
        name: 'join',
        component: () => import('./pages/JoinPage.vue'),
        props: true,
      },
      { path: '/sign-in', name: 'sign-in', component: () => import('./pages/SignInPage.vue') },
      {
        path: '/c/:classId',
        name: 'class',
        component: () => import('./pages/ClassPage.vue'),
        props: true,
      },
      {
        path: '/c/:classId/labs/:lab',
        name: 'lab',
        component: () => import('./pages/LabPage.vue'),
        props: true,
      },
      {
        path: '/c/:classId/board',
        name: 'board',
        component: () => import('./pages/BoardPage.vue'),
        props: true,
      },
      {
        path: '/:rest(.*)*',
        name: 'not-found',
        component: () => import('./pages/NotFoundPage.vue'),
      },
    ],
  })
}
