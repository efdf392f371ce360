/** A page mounted with its router and queries, in front of answers the test gives. */
import { VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter, RouterView, type Router } from 'vue-router'
import { newQueryClient } from '@/api/queries'
import ClassPage from '@/pages/ClassPage.vue'
import JoinPage from '@/pages/JoinPage.vue'
import SignInPage from '@/pages/SignInPage.vue'

export type Asked = { method: string; path: string; body: unknown }
type Reply = { status?: number; body: unknown }
export type Routes = Record<string, Reply | ((body: unknown) => Reply | Promise<Reply>)>

export type Visit = { page: VueWrapper; router: Router; asked: Asked[] }
const Blank = defineComponent({ render: () => h('div', 'elsewhere') })

export function serve(routes: Routes): Asked[] {
  const asked: Asked[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    const path = new URL(request.url).pathname
    const text = request.method === 'GET' ? '' : await request.text()
    const body: unknown = text ? JSON.parse(text) : undefined
    asked.push({ method: request.method, path, body })
    const found = routes[`${request.method} ${path}`]
    const reply = typeof found === 'function' ? await found(body) : found
    const status = reply ? (reply.status ?? 200) : 404
    const kind = status < 400 ? 'application/json' : 'application/problem+json'
    const none = { title: `Nothing at ${path}` }
    return new Response(JSON.stringify(reply?.body ?? none), {
      status,
      headers: { 'content-type': kind },
    })
  })
  return asked
}

export async function visit(address: string, routes: Routes): Promise<Visit> {
  const asked = serve(routes)
  document.body.innerHTML = '<section id="overlays"></section>'
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', name: 'home', component: Blank },
      { path: '/join/:code?', name: 'join', component: JoinPage, props: true },
      { path: '/sign-in', name: 'sign-in', component: SignInPage },
      { path: '/c/:classId', name: 'class', component: ClassPage, props: true },
      { path: '/c/:classId/labs/:lab', name: 'lab', component: Blank },
      { path: '/c/:classId/board', name: 'board', component: Blank },
    ],
  })
  await router.push(address)
  const page = mount(RouterView, {
    attachTo: document.body,
    global: { plugins: [router, [VueQueryPlugin, { queryClient: newQueryClient(() => 0) }]] },
  })
  await flushPromises()
  return { page, router, asked }
}
