import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { visit, type Routes, type Visit } from './server'
import { until } from '../until'

const preview = {
  title: 'DevOps Foundations', instructor: 'Prof. Iyer', state: 'open', opens_at: 0,
  closes_at: 9e15, seats: 30, seats_taken: 28, email_required: false,
}
const nobody = { user: null, classes: [], allowed: [] }
const joined = { class_id: 'c1', user: { id: 'u1', name: 'Asha', role: 'student' } }
let routes: Routes
let now: Visit
const shown: Element[] = []

beforeEach(() => {
  shown.length = 0
  Element.prototype.scrollIntoView = function () {
    shown.push(this)
  }
  routes = {
    'GET /v1/session': { body: nobody },
    'GET /v1/join/MARIGOLD': { body: preview },
    'POST /v1/join': { status: 201, body: joined },
    'GET /v1/classes/c1': { status: 404, body: { title: 'not here' } },
  }
})
afterEach(() => {
  now.page.unmount()
  vi.unstubAllGlobals()
})
const field = (label: string) => {
  const found = now.page.findAll('label').find((one) => one.text() === label)
  return now.page.find<HTMLInputElement>(`[id="${found?.attributes('for')}"]`)
}
const press = async () => {
  await now.page.find('form').trigger('submit')
  await flushPromises()
}
const posts = () => now.asked.filter(({ method }) => method === 'POST')

it('shows the class of a code in the address while the name is typed', async () => {
  now = await visit('/join/mari-gold', routes)
  await flushPromises()
  expect(field('Class code').element.value).toBe('MARIGOLD')
  expect(now.page.text()).toContain('DevOps Foundations')
  expect(now.page.text()).toContain('28 students here')
})

it.each([
  ['/join', 'Class code'],
  ['/join/mari-gold', 'Your name'],
])('has the cursor at %s in "%s" where a keyboard is at hand, not elsewhere', async (at, label) => {
  const fine = (is: boolean) => {
    const match = (media: string) => ({ media, matches: is && media.includes('fine') })
    vi.stubGlobal('matchMedia', match)
  }
  fine(true)
  now = await visit(at, routes)
  expect(document.activeElement).toBe(field(label).element)
  now.page.unmount()
  fine(false)
  now = await visit(at, routes)
  expect(document.activeElement).toBe(document.body)
})

it('brings into view why the class cannot be joined', async () => {
  routes['POST /v1/join'] = { status: 409, body: { title: 'This class is full' } }
  now = await visit('/join/mari-gold', routes)
  await field('Your name').setValue('Asha')
  await press()
  await until(() => shown.length > 0)
  expect(shown[0]?.textContent).toContain('This class is full')
})

it('asks about a code only when it is whole', async () => {
  now = await visit('/join', routes)
  await field('Class code').setValue('mari-gol')
  await flushPromises()
  expect(now.asked.some(({ path }) => path.startsWith('/v1/join'))).toBe(false)
  await field('Class code').setValue('mari-gold')
  await flushPromises()
  expect(now.page.text()).toContain('Prof. Iyer')
})

it('wakes what answers students once the class is known, and not before', async () => {
  const woken = () => now.asked.filter(({ path }) => path === '/v1/awake').length
  routes['GET /v1/awake'] = { status: 503, body: { title: 'busy' } }
  now = await visit('/join', routes)
  await flushPromises()
  expect(woken()).toBe(0)
  await field('Class code').setValue('mari-gold')
  await until(() => woken() === 1)
  expect(now.page.text()).not.toContain('busy')
})

it('takes a pasted join address for its code', async () => {
  now = await visit('/join', routes)
  const event = new Event('paste', { cancelable: true })
  const getData = () => 'http://127.0.0.1:8000/join/MARI-GOLD'
  Object.assign(event, { clipboardData: { getData } })
  field('Class code').element.dispatchEvent(event)
  await flushPromises()
  expect(field('Class code').element.value).toBe('MARIGOLD')
})

it('joins and goes to the class', async () => {
  now = await visit('/join/MARIGOLD', routes)
  await field('Your name').setValue('  Asha ')
  await press()
  expect(posts()[0]!.body).toMatchObject({ code: 'MARIGOLD', name: 'Asha' })
  await until(() => now.router.currentRoute.value.name === 'class')
})

it('does not send what is plainly missing, and goes to the field', async () => {
  now = await visit('/join', routes)
  await press()
  expect(posts()).toHaveLength(0)
  expect(now.page.text()).toContain('A class code has eight letters.')
  expect(now.page.text()).toContain('Type the name')
  expect(document.activeElement).toBe(field('Class code').element)
})

it('shows the server’s words at the field they are about', async () => {
  const words = { title: 'The name has invisible characters.', fix: 'Type it.', field: 'name' }
  routes['POST /v1/join'] = { status: 422, body: words }
  now = await visit('/join/MARIGOLD', routes)
  await field('Your name').setValue('Asha')
  await press()
  const input = field('Your name')
  expect(input.attributes('aria-invalid')).toBe('true')
  expect(now.page.find(`[id="${input.attributes('aria-describedby')}"]`).text()).toBe(
    'The name has invisible characters. Type it.')
  await input.setValue('Asha R')
  expect(input.attributes('aria-invalid')).toBeUndefined()
})

it('shows a problem of no field above the button', async () => {
  routes['POST /v1/join'] = { status: 409, body: { title: 'The class is full.', fix: 'Wait.' } }
  now = await visit('/join/MARIGOLD', routes)
  await field('Your name').setValue('Asha')
  await press()
  expect(now.page.find('[role=alert]').text()).toBe('The class is full.Wait.')
})

it('says that no class has this code', async () => {
  const words = { title: 'No class has this code.', fix: 'Ask again.', field: 'code' }
  routes['GET /v1/join/NOTHINGS'] = { status: 404, body: words }
  now = await visit('/join/NOTHINGS', routes)
  await flushPromises()
  expect(now.page.text()).toContain('No class has this code. Ask again.')
})

it('asks for an email only where the class does', async () => {
  now = await visit('/join/MARIGOLD', routes)
  expect(field('Your email').exists()).toBe(false)
  now.page.unmount()
  routes['GET /v1/join/MARIGOLD'] = { body: { ...preview, email_required: true } }
  now = await visit('/join/MARIGOLD', routes)
  await field('Your name').setValue('Asha')
  await press()
  expect(now.page.text()).toContain('This class asks for an email address.')
  await field('Your email').setValue('asha@example.org')
  await press()
  const sent = { code: 'MARIGOLD', name: 'Asha', email: 'asha@example.org' }
  expect(posts()[0]!.body).toMatchObject(sent)
})

it('shows the way back to someone who is signed in', async () => {
  const classes = [{ id: 'c1', title: 'DevOps Foundations', state: 'open' }]
  routes['GET /v1/session'] = { body: { user: joined.user, classes, allowed: [] } }
  now = await visit('/join', routes)
  expect(now.page.text()).toContain('Continue as Asha')
})
