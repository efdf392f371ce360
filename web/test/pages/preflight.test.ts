import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeAll, expect, it, vi } from 'vitest'
import type { Finding, Look, Preflight } from '@/api/preflight'
import { need, speak } from '@/i18n'
import { cloudsOf, titleOf, toDo } from '@/pages/preflight/clouds'
import { card } from '../views'
import { until } from '../until'
import { visit, type Routes, type Visit } from './server'

const PLACE = '/v1/classes/c1/preflight'
const NOW = Date.now()
const LETTER = 'Hello,\n\nplease raise the limit.'
let now: Visit | undefined
// The card's words come with it; that a test is quick must not decide whether they are there.
beforeAll(() => need('preflight', 'class', 'join'))
afterEach(async () => {
  now?.page.unmount()
  now = undefined
  vi.unstubAllGlobals()
  await speak('en')
})

function finding(over: Partial<Finding> = {}): Finding {
  return {
    name: 'region', state: 'fits', verdict: 'ok', text: 'fra1 has s-1.', fix: null, letter: null,
    ...over,
  }
}
const LOW = finding({
  name: 'limit', state: 'low', verdict: 'missing', text: 'Too few.', fix: 'Ask.', letter: LETTER,
})
function look(over: Partial<Look> = {}): Look {
  return {
    provider: 'digitalocean', region: 'fra1', size: 's-1', lab: 'web', title: 'HTTP by hand',
    figures: {
      needed: 30, machines_max: 10, machines_now: 2, begins_seconds: 15, boot_seconds: 75,
      micros_per_hour: 8_930, cost_micros: 535_800,
    },
    findings: [finding(), LOW], ...over,
  }
}
function answer(over: Partial<Preflight> = {}): Preflight {
  return {
    state: 'looked', looked_at: NOW, looks: [look()], budget_micros: null, currency: 'USD',
    opens_at: NOW + 4 * 86_400_000, now: NOW, ...over,
  }
}
function routes(told: Preflight | (() => Preflight), page: object = { teaches: true }): Routes {
  const me = { id: 't', name: 'Meera Iyer', role: 'instructor' }
  const body = {
    id: 'c1', title: 'DevOps', instructor: 'Meera Iyer', welcome: '', state: 'upcoming',
    opens_at: NOW + 4 * 86_400_000, closes_at: 9e12, now: NOW, me, allowed: [], labs: [card()],
    here: 0, messages: [], teaches: false, ...page,
  }
  const reply = () => ({ body: typeof told === 'function' ? told() : told })
  return { 'GET /v1/classes/c1': { body }, [`GET ${PLACE}`]: reply }
}
const region = () => document.querySelector('section[aria-label="Before the class"]')
const words = () => region()?.textContent?.replace(/\s+/g, ' ') ?? ''
async function shown(told: Parameters<typeof routes>[0]): Promise<void> {
  now = await visit('/c/c1', routes(told))
  await until(() => region())
  await flushPromises()
}

it('shows a trainer what is missing, in pictures and words, with the letter to send', async () => {
  await shown(answer())
  expect(words()).toContain('1 thing is missing')
  const pictures = [...region()!.querySelectorAll('[role=img]')]
  expect(pictures.map((one) => one.getAttribute('aria-label'))).toEqual([
    '2 there now, 30 needed, 10 allowed',
    'The first is ready after 75 s, the last after 2 min',
  ])
  expect(words()).toContain('30 are needed; 10 are allowed and 2 are there.')
  expect(words()).toContain('Have the limit raised; that may take days.')
  expect(region()!.querySelector('details p')!.textContent).toBe(LETTER)
})

it('says it in the page’s language, and what it has no words for as the server does', async () => {
  const odd = finding({ name: 'image', state: 'new_state', text: 'Something new.' })
  await shown(answer({ looks: [look({ findings: [finding(), odd] })] }))
  expect(words()).toContain('fra1 has s-1.')
  expect(words()).toContain('Something new.')
  await speak('de')
  await flushPromises()
  const german = document.querySelector('section[aria-label="Vor dem Kurs"]')!
  expect(german.textContent).toContain('fra1 hat s-1.')
  expect(german.textContent).toContain('Alles ist da')
})

it('asks again while the clouds are being asked', async () => {
  let asked = 0
  const soon = () =>
    (asked += 1) === 1 ? answer({ state: 'looking', looks: [], looked_at: null }) : answer()
  await shown(soon)
  expect(words()).toContain('Asking the clouds')
  await until(() => words().includes('1 thing is missing'))
  expect(asked).toBe(2)
})

it('looks again when that is pressed', async () => {
  const all = routes(answer())
  const good = answer({ looks: [look({ findings: [finding()] })] })
  all[`POST ${PLACE}`] = { status: 202, body: good }
  now = await visit('/c/c1', all)
  await until(() => region())
  const button = [...region()!.querySelectorAll('button')].find((one) =>
    one.textContent?.includes('Look again'))
  button!.click()
  await until(() => words().includes('All is there'))
})

it('is not there for labs of our own host, nor for students', async () => {
  now = await visit('/c/c1', routes(answer({ state: 'own', looks: [] })))
  await until(() => now!.asked.some(({ path }) => path === PLACE))
  await flushPromises()
  expect(region()).toBeNull()
  now.page.unmount()
  now = await visit('/c/c1', routes(answer(), { teaches: false }))
  await flushPromises()
  expect(now.asked.some(({ path }) => path === PLACE)).toBe(false)
})

it('says which command to run where others have the tokens', async () => {
  await shown(answer({ state: 'elsewhere', looks: [], looked_at: null }))
  expect(words()).toContain('brihaspati preflight c1')
})

it('puts labs of a cloud together: the worst of each matter, and which labs it is of', () => {
  const fine = look({ lab: 'a', title: 'A', findings: [finding(), finding({ name: 'image' })] })
  const bare = finding({ name: 'image', verdict: 'warn', state: 'unbaked' })
  const worse = look({ lab: 'b', title: 'B', findings: [finding(), bare] })
  const other = look({ provider: 'linode', findings: [LOW] })
  const clouds = cloudsOf([fine, worse, other])
  expect(clouds.map(({ title }) => title)).toEqual(['DigitalOcean', 'Linode'])
  expect(clouds[0]!.look.lab).toBe('b')
  expect(clouds[0]!.matters.map(({ name, labs }) => [name, labs])).toEqual([
    ['region', []], ['image', ['B']],
  ])
  expect(toDo(clouds).map(({ state }) => state)).toEqual(['unbaked', 'low'])
  expect(titleOf('digitalocean-ams3')).toBe('DigitalOcean ams3')
})
