import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it } from 'vitest'
import SplitPanes from '@/components/SplitPanes.vue'

const props = {
  row: true, show: 'both', start: 40, min: 20, max: 70, label: 'Width', kept: 'test.split',
} as const
const slots = { first: '<p>guide</p>', second: '<p>bench</p>' }
const made = (over: object = {}) =>
  mount(SplitPanes, { props: { ...props, ...over }, slots, attachTo: document.body })
type Made = ReturnType<typeof made>
const handle = (page: Made) => page.find('[role=separator]')
const size = (page: Made) => Number(handle(page).attributes('aria-valuenow'))
const clear = () => localStorage.removeItem('test.split')

beforeEach(clear)
afterEach(clear)

it('moves by arrow keys, within its bounds', async () => {
  const page = made()
  await handle(page).trigger('keydown', { key: 'ArrowRight' })
  expect(size(page)).toBe(42)
  await handle(page).trigger('keydown', { key: 'ArrowLeft', shiftKey: true })
  expect(size(page)).toBe(32)
  await handle(page).trigger('keydown', { key: 'ArrowUp' })
  expect(size(page)).toBe(32)
  for (const [key, at] of [['End', 70], ['ArrowRight', 70], ['Home', 20]] as const) {
    await handle(page).trigger('keydown', { key })
    expect([key, size(page)]).toEqual([key, at])
  }
})

it('moves with the pointer that holds it, and with no other', async () => {
  const page = made()
  const at = { left: 100, top: 0, width: 1000, height: 500 }
  page.element.getBoundingClientRect = () => at as DOMRect
  const element = handle(page).element as HTMLElement
  element.setPointerCapture = () => undefined
  await handle(page).trigger('pointermove', { clientX: 700 })
  expect(size(page)).toBe(40)
  await handle(page).trigger('pointerdown', { button: 0, pointerId: 1 })
  await handle(page).trigger('pointermove', { clientX: 700 })
  expect(size(page)).toBe(60)
  await handle(page).trigger('pointerup')
  await handle(page).trigger('pointermove', { clientX: 300 })
  expect(size(page)).toBe(60)
  await handle(page).trigger('dblclick')
  expect(size(page)).toBe(40)
})

it('remembers its size, and forgets what is no size', async () => {
  const page = made()
  await handle(page).trigger('keydown', { key: 'ArrowRight' })
  expect(size(made())).toBe(42)
  expect(size(made({ kept: null }))).toBe(40)
  localStorage.setItem('test.split', 'wide')
  expect(size(made())).toBe(40)
})

it('keeps both panes, whichever is shown', async () => {
  const page = made({ show: 'second' })
  expect(page.text()).toBe('guidebench')
  expect(page.find('p').isVisible()).toBe(false)
  expect(handle(page).isVisible()).toBe(false)
  await page.setProps({ show: 'both' })
  expect(page.find('p').isVisible()).toBe(true)
})
