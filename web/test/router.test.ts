import { mount } from '@vue/test-utils'
import { afterEach, expect, it, vi } from 'vitest'
import { createMemoryHistory, RouterView } from 'vue-router'
import { newRouter } from '@/router'
import { until } from './until'

afterEach(() => (document.body.innerHTML = ''))

it('takes the focus to a new page, asks for nothing needless, and leaks no attribute', async () => {
  const asking = vi.fn(async () => undefined)
  const router = newRouter(asking, createMemoryHistory())
  await router.push('/design')
  expect(asking).toHaveBeenCalledTimes(1)
  const page = mount(RouterView, { attachTo: document.body, global: { plugins: [router] } })
  await router.push('/nowhere/at/all')
  await until(() => document.activeElement?.id === 'content')
  expect(page.find('main').attributes('rest')).toBeUndefined()
  expect(document.title).toBe('Lost in space · Brihaspati')
  expect(asking).toHaveBeenCalledTimes(1)
  page.unmount()
})
