import { flushPromises } from '@vue/test-utils'
import { afterEach, expect, it, vi } from 'vitest'
import { visit, type Visit } from './server'
import { until } from '../until'

let now: Visit
afterEach(() => {
  now.page.unmount()
  vi.unstubAllGlobals()
})
const user = { id: 'u1', name: 'Meera', role: 'instructor' }

it('signs in with the token after the #, which then leaves the address', async () => {
  const session = { user, classes: [], allowed: [] }
  window.history.replaceState(null, '', '/sign-in#s3cret')
  now = await visit('/sign-in#s3cret', { 'POST /v1/sign-in': { body: session } })
  await until(() => now.router.currentRoute.value.name === 'home')
  expect(now.asked).toEqual([{ method: 'POST', path: '/v1/sign-in', body: { token: 's3cret' } }])
  expect(window.location.hash).toBe('')
})

it('says why a link did not work and how to get another', async () => {
  const words = { title: 'This link was used before.', fix: 'Print a new one.' }
  now = await visit('/sign-in#old', { 'POST /v1/sign-in': { status: 401, body: words } })
  await flushPromises()
  expect(now.page.find('[role=alert]').text()).toContain('This link was used before.')
  expect(now.page.text()).toContain('brihaspati sign-in')
})

it('asks nobody when there is no token', async () => {
  now = await visit('/sign-in', {})
  expect(now.asked).toEqual([])
})
