import { flushPromises } from '@vue/test-utils'
import { afterEach, expect, it, vi } from 'vitest'
import type { LabCard } from '@/api/types'
import { card, view } from '../views'
import { visit as arrive, type Routes, type Visit } from './server'
import { until } from '../until'

let now: Visit
afterEach(() => {
  now.page.unmount()
  vi.unstubAllGlobals()
})

function page(labs: LabCard[], over: object = {}): Routes {
  const me = { id: 'u1', name: 'Asha Raghunathan', role: 'student' }
  const body = {
    id: 'c1', title: 'DevOps Foundations', instructor: 'Prof. Meera Iyer', welcome: 'Hello all',
    state: 'open', opens_at: 0, closes_at: 9e12, now: Date.now(), me, allowed: [], labs,
    here: 3, messages: [], teaches: false, ...over,
  }
  return { 'GET /v1/classes/c1': { body } }
}
/** The labs are drawn a frame after what is to be done next. */
async function visit(address: string, routes: Routes): Promise<Visit> {
  const made = await arrive(address, routes)
  await until(() => made.page.findAll('h3').length > 0 || made.page.find('[role=alert]').exists())
  return made
}
const button = (text: string) =>
  [...document.querySelectorAll<HTMLElement>('button, a')].find((one) =>
    (one.getAttribute('aria-label') ?? one.textContent?.replace(/\s+/g, ' ') ?? '').includes(text))

it('greets, shows who teaches and every lab', async () => {
  now = await visit('/c/c1', page([card(), card({ name: 'b', title: 'Second' })]))
  expect(now.page.find('h1').text()).toContain('Asha')
  expect(now.page.text()).toContain('Prof. Meera Iyer')
  expect(now.page.text()).toContain('Hello all')
  expect(now.page.findAll('h3').map((one) => one.text())).toEqual(['HTTP by hand', 'Second'])
})

it('plays with one press and is on the lab page without waiting for the answer', async () => {
  const routes = page([card({ sandbox: view({ phase: 'gone' }) })])
  now = await visit('/c/c1', routes)
  button('Play again: HTTP by hand')!.click()
  await until(() => now.router.currentRoute.value.name === 'lab')
  await flushPromises()
  const asked = now.asked.map(({ method, path }) => `${method} ${path}`)
  expect(asked).toContain('PUT /v1/classes/c1/labs/web/sandbox')
})

it('resumes a running lab without asking for another', async () => {
  const running = view({ deadline_at: Date.now() + 60_000 * 42 })
  now = await visit('/c/c1', page([card({ sandbox: running })]))
  expect(now.page.find('section h2').text()).toBe('HTTP by hand')
  expect(now.page.text()).toMatch(/4[12]:\d\d/)
  button('Resume · ')!.click()
  await until(() => now.router.currentRoute.value.name === 'lab')
  expect(now.asked.every(({ method }) => method === 'GET')).toBe(true)
})

it('stops only after saying what will be deleted', async () => {
  const routes = page([card({ sandbox: view() })])
  routes['DELETE /v1/classes/c1/labs/web/sandbox'] = {
    status: 202, body: { sandbox: view({ phase: 'stopping' }), now: Date.now() },
  }
  now = await visit('/c/c1', routes)
  button('Stop HTTP by hand')!.click()
  await until(() => document.querySelector('[role=alertdialog]'))
  expect(document.querySelector('[role=alertdialog]')!.textContent).toContain('every file on it')
  expect(now.asked.every(({ method }) => method === 'GET')).toBe(true)
  button('Stop and delete')!.click()
  await until(() => now.asked.some(({ method }) => method === 'DELETE'))
  await until(() => !document.querySelector('[role=alertdialog]'))
})

it('shows why a lab failed and offers to try again', async () => {
  const failed = view({ phase: 'failed', reason: 'No memory left.' })
  now = await visit('/c/c1', page([card({ sandbox: failed })]))
  expect(now.page.text()).toContain('No memory left.')
  expect(button('Try again: HTTP by hand')).toBeDefined()
})

it('has no Play before or after class, but the guide can be read', async () => {
  for (const state of ['upcoming', 'closed']) {
    now = await visit('/c/c1', page([card()], { state }))
    expect(button('Play')).toBeUndefined()
    expect(button('Read the guide')!.getAttribute('href')).toBe('/c/c1/labs/web')
    if (state === 'upcoming') now.page.unmount()
  }
})

it('shows the board to those who may see it', async () => {
  now = await visit('/c/c1', page([card()], { allowed: ['see_board'] }))
  expect(button('Live board')!.getAttribute('href')).toBe('/c/c1/board')
})

it('says what to do when one is not signed in', async () => {
  const words = { title: 'You are not signed in.', fix: 'Join with your class code.' }
  now = await visit('/c/c1', { 'GET /v1/classes/c1': { status: 401, body: words } })
  await flushPromises()
  expect(now.page.find('[role=alert]').text()).toContain('You are not signed in.')
  expect(button('Join with a class code')).toBeDefined()
  // An alert that is the main part itself is no landmark any more.
  expect(document.querySelector('main')?.getAttribute('role')).toBeNull()
  expect(document.querySelector('main [role=alert] h1')).not.toBeNull()
})

const figures = () => now.page.findAll('dd').map((one) => one.text().replace(/\s+/g, ' '))

it('counts what is done and shows only the labs asked for', async () => {
  const labs = [
    card({ name: 'a', title: 'Over', done: 6, step: 6 }),
    card({ name: 'b', title: 'Begun', done: 2, step: 3 }),
    card({ name: 'c', title: 'New' }),
  ]
  now = await visit('/c/c1', page(labs))
  expect(figures()).toEqual(['1 of 3', '8 of 18'])
  expect(now.page.find('section h2').text()).toBe('Begun')
  button('To do')!.click()
  await flushPromises()
  expect(now.page.findAll('h3').map((one) => one.text())).toEqual(['New'])
  button('Done')!.click()
  await flushPromises()
  expect(now.page.findAll('h3').map((one) => one.text())).toEqual(['Over'])
})

it('shows what the trainer said last instead of the welcome, and earlier words', async () => {
  const said = (id: string, at: number, text: string, mine = false) =>
    ({ id, at, text, sender: 'Prof. Iyer', to_me: mine })
  const messages = [said('1', 1_000, 'Earlier'), said('2', 2_000, 'Slowly now', true)]
  now = await visit('/c/c1', page([card()], { messages }))
  expect(now.page.find('[role=log]').text()).toContain('Slowly now')
  expect(now.page.find('[role=log]').text()).toContain('To you')
  expect(now.page.find('details').text()).toContain('Earlier')
  expect(now.page.text()).not.toContain('Hello all')
  expect(now.page.text()).toContain('3 here')
})
