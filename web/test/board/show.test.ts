import { afterEach, expect, it, vi } from 'vitest'
import ShowPage from '@/pages/ShowPage.vue'
import { until } from '../until'
import type { Routes } from '../pages/server'
import { absent, boardOf, MINUTE, NOW, setupOf, show, student, type Visit } from './class'

let now: Visit
afterEach(() => {
  now.page.unmount()
  vi.unstubAllGlobals()
})

const NAMES = ['Asha', 'Ben', 'Chen', 'Devi', 'Emil', 'Fay', 'Gus', 'Hana']
const came = NAMES.map((name, at) => ({ ...student(name), joined_at: NOW - (10 - at) * MINUTE }))
function routes(over: Routes = {}): Routes {
  return {
    'GET /v1/classes/c1/board': { body: boardOf([...came, absent('Noah')]) },
    'GET /v1/classes/c1/setup': { body: setupOf() },
    ...over,
  }
}

it('shows the code in letters, read out as one, and as a picture that joins', async () => {
  now = await show(ShowPage, routes())
  await until(() => now.page.find('.frame svg').exists())
  const code = now.page.get('h1.code')
  expect(code.attributes('aria-label')).toBe('MARI-GOLD')
  expect(code.findAll('span:not(.dash)').map((one) => one.text()).join('')).toBe('MARIGOLD')
  expect(now.page.get('.site').text()).toBe(`${window.location.host}/join`)
  expect(document.title).toContain('DevOps')
})

it('counts who is here, and greets the latest six, newest first', async () => {
  now = await show(ShowPage, routes())
  await until(() => now.page.find('footer').exists())
  expect(now.page.get('footer [role=status]').text()).toContain('8 of 9')
  const greeted = now.page.findAll('footer li').map((one) => one.text())
  expect(greeted.map((text) => NAMES.find((name) => text.endsWith(name)))).toEqual(
    ['Hana', 'Gus', 'Fay', 'Emil', 'Devi', 'Chen'])
})

it('says why there is no code instead of showing an empty wall', async () => {
  const refused = { status: 404, body: { title: 'There is no such class' } }
  now = await show(ShowPage, routes({ 'GET /v1/classes/c1/setup': refused }))
  await until(() => now.page.text().includes('There is no such class'))
  expect(now.page.find('.wall').exists()).toBe(false)
})
