import { VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { announcement } from '@/announce'
import { newQueryClient } from '@/api/queries'
import type { SandboxNow } from '@/api/types'
import { serverClock } from '@/clock'
import LabPage from '@/pages/LabPage.vue'
import { until } from '../until'
import { view } from '../views'
import { lab, LAB, now, page, progress, step } from '../workspace/lab'
import { serve, type Routes } from './server'

const words = () => document.body.textContent?.replace(/\s+/g, ' ') ?? ''
const button = (name: string) =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === name)
let shown: VueWrapper | null = null

async function visit(known: SandboxNow, routes: Routes = {}) {
  document.body.innerHTML = '<div id="overlays"></div>'
  const content = lab(step('s1', { title: 'Look around' }), step('s2'))
  const asked = serve({
    [`GET ${LAB}`]: { body: { ...page(content, known.progress), ...known } },
    [`GET ${LAB}/sandbox`]: { body: known },
    [`PUT ${LAB}/progress`]: { body: { progress: known.progress, now: 0 } },
    'GET /v1/classes/c1': { body: { title: 'DevOps', labs: [], messages: [] } },
    ...routes,
  })
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:classId?', name: 'class', component: { render: () => null } }],
  })
  shown = mount(LabPage, {
    props: { classId: 'c1', lab: 'web' },
    attachTo: document.body,
    global: { plugins: [router, [VueQueryPlugin, { queryClient: newQueryClient(() => 0) }]] },
  })
  await flushPromises()
  await until(() => document.querySelector('h1')?.textContent)
  if (document.querySelector('.shell')) await until(() => panels()[1]?.childElementCount)
  return asked
}
const panels = () => [...document.querySelectorAll('.panel')]
const rest = (over: Partial<SandboxNow> = {}) => now(progress(), { sandbox: null, ...over })

function onPhone(): void {
  const real = window.matchMedia.bind(window)
  vi.stubGlobal('matchMedia', (query: string) =>
    query === '(max-width: 639px)' ? real('(min-width: 1px)') : real('(max-width: 1px)'))
}
beforeEach(() => {
  localStorage.clear()
  sessionStorage.clear()
})
afterEach(() => {
  shown?.unmount()
  shown = null
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

it('leads to the class when it has the lab no more', async () => {
  const gone = { type: '/problems/not-found', title: 'The class has no lab called web.' }
  await visit(rest(), { [`GET ${LAB}`]: { status: 404, body: gone } })
  expect(words()).toContain('The class has no lab called web.')
  const links = [...document.querySelectorAll('a')]
  const away = links.find((one) => one.textContent?.trim() === 'To the class')
  expect(away?.getAttribute('href')).toBe('/c1')
})

it('looks at its sandbox once, where the guide brings that along', async () => {
  const asked = await visit(rest())
  expect(words()).toContain('Lab 2')
  expect(asked.filter(({ path }) => path.endsWith('/sandbox'))).toEqual([])
})

it('names the class, the lab and its number', async () => {
  await visit(rest())
  expect(words()).toContain('DevOps · Lab 2')
  expect(document.querySelector('h1')?.textContent).toBe('HTTP')
  expect(document.title).toContain('HTTP')
})

it('tells the truth about a start: how long so far, and how long it usually takes', async () => {
  const known = Date.now()
  vi.spyOn(Date, 'now').mockReturnValue(known) // or a busy machine makes it three seconds
  const asked_at = known - 2_000
  const machines = [{ name: 'lab', state: 'asked' }]
  const starting = view({ phase: 'starting', asked_at, seconds_expected: 9, machines })
  await visit(rest({ sandbox: starting, now: known }))
  expect(words()).toContain('2 s so far, usually 9 s')
  expect(words()).toContain('About 7 seconds')
  expect(words()).toContain('Place reserved')
})

it.each([
  ['Nobody had typed for a while.', 'gone'],
  ['Your trainer ended this lab.', 'gone'],
  ['No memory left on this host.', 'failed'],
] as const)('says why there is no lab now: %s', async (reason, phase) => {
  await visit(rest({ sandbox: view({ phase, reason }) }))
  expect(words()).toContain(reason)
  expect(words().includes('Machine deleted')).toBe(phase === 'gone')
})

it('raises a hand at once and lowers it again', async () => {
  const raised = { progress: progress({ hand_at: 5, revision: 2 }), now: 0 }
  const asked = await visit(rest(), {
    [`PUT ${LAB}/hand`]: { body: raised },
    [`DELETE ${LAB}/hand`]: { body: { progress: progress({ revision: 3 }), now: 0 } },
  })
  button('Help')?.click()
  await until(() => button('Raise my hand'))
  document.querySelector('form')?.requestSubmit()
  await until(() => button('Hand raised'))
  expect(asked.filter(({ method }) => method === 'PUT').map(({ body }) => body)).toContainEqual({
    text: '',
  })
  button('Hand raised')?.click()
  await until(() => button('Lower my hand'))
  button('Lower my hand')?.click()
  await until(() => button('Help'))
  expect(asked.some(({ method, path }) => method === 'DELETE' && path.endsWith('/hand'))).toBe(true)
})

it('puts the hand back where it was when nobody takes it', async () => {
  const body = { title: 'No.' }
  const asked = await visit(rest(), { [`PUT ${LAB}/hand`]: { status: 400, body } })
  button('Help')?.click()
  await until(() => button('Raise my hand'))
  document.querySelector('form')?.requestSubmit()
  await until(() => asked.some(({ path }) => path.endsWith('/hand')))
  await flushPromises()
  expect(button('Hand raised')).toBeUndefined()
  expect(button('Help')).toBeDefined()
})

it('shows the message of a trainer beside the guide', async () => {
  const message = { id: 'm', text: 'Ten minutes left.', sender: 'Prof. Iyer', at: 1, to_me: false }
  await visit(rest({ messages: [message] }))
  await until(() => document.querySelector('aside')?.textContent?.includes('Ten minutes left.'))
  expect(document.querySelector('.guide-panel aside')).not.toBeNull()
})

it('lets nobody raise a hand who has no place in the class', async () => {
  await visit(rest({ progress: null }))
  expect(button('Help')).toBeUndefined()
  expect(words()).toContain('Look around')
})

it('opens one more shell on a phone, and turns to it', async () => {
  onPhone()
  await visit(rest({ sandbox: view() }))
  const more = document.querySelector<HTMLElement>('nav button[aria-label="One more shell"]')
  more?.click()
  const chosen = () => document.querySelector('nav [aria-current=page]')?.textContent?.trim()
  await until(() => chosen() === 'main 2')
  for (let n = 0; n < 5; n += 1) more?.click()
  await flushPromises()
  const names = [...document.querySelectorAll('nav.row button span')].map((one) => one.textContent)
  expect(names.filter((one) => one?.startsWith('main'))).toHaveLength(6)
  expect(announcement.value).toBe('There are enough shells open.')
})

it('closes a further shell on a phone, and goes back to the one it was beside', async () => {
  onPhone()
  await visit(rest({ sandbox: view() }))
  const nav = (name: string) => document.querySelector<HTMLElement>(`nav [aria-label="${name}"]`)
  expect(nav('Close main')).toBeNull() // a terminal of the lab stays
  nav('One more shell')!.click()
  await until(() => nav('Close main 2'))
  nav('Close main 2')!.click()
  const chosen = () => document.querySelector('nav [aria-current=page]')?.textContent?.trim()
  await until(() => chosen() === 'main')
  expect(document.querySelector('nav.row')?.textContent).not.toContain('main 2')
})

it('asks over the guide of a phone whether anybody is there, before the lab ends', async () => {
  onPhone()
  const sandbox = view({ idle_at: serverClock.now() + 120_000 })
  await visit(now(progress(), { sandbox, now: serverClock.now() }))
  await until(() => button('I am here'))
  expect(panels()[0]?.checkVisibility()).toBe(true)
  expect(button('I am here')?.checkVisibility()).toBe(true)
})

it('turns a phone from the guide to what was deleted when the lab ends', async () => {
  onPhone()
  const looked = { body: now(progress(), { look_ms: 10 }) }
  await visit(looked.body, { [`GET ${LAB}/sandbox`]: looked })
  expect(panels()[0]?.checkVisibility()).toBe(true)
  looked.body = rest({ sandbox: view({ phase: 'gone', reason: 'Time was up.' }) })
  await until(() => panels()[1]?.checkVisibility())
  expect(panels()[0]?.checkVisibility()).toBe(false)
  expect(panels()[1]?.textContent).toContain('Machine deleted')
})

it('has no further shells on a phone before the lab is ready', async () => {
  onPhone()
  await visit(rest({ sandbox: view({ phase: 'starting' }) }))
  expect(document.querySelector('nav.row')).not.toBeNull()
  expect(document.querySelector('nav button[aria-label="One more shell"]')).toBeNull()
})

it('waits for no terminal where a web page of the lab is looked at', async () => {
  const ports = [{ machine: 'lab', port: 8080, title: 'My site' }]
  const never = () => new Promise<never>(() => {})
  await visit(rest({ sandbox: view({ ports }) }), { [`POST ${LAB}/sandbox/ticket`]: never })
  expect(words()).toContain('Opening your terminal')
  const tabs = [...document.querySelectorAll<HTMLElement>('[role=tab]')]
  const site = tabs.find((one) => one.textContent?.includes('My site'))
  site?.click()
  await flushPromises()
  expect(site?.getAttribute('aria-selected')).toBe('true')
  expect(words()).not.toContain('Opening your terminal')
})
