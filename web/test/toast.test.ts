import { expect, it } from 'vitest'
import { takeAway, toast, toasts } from '@/toast'

it('shows the newest three, and takes each away by what it returned', () => {
  const away = ['a', 'b', 'c', 'd'].map((text) => toast({ text }))
  expect(toasts.value.map(({ text }) => text)).toEqual(['b', 'c', 'd'])
  away[2]!()
  expect(toasts.value.map(({ text }) => text)).toEqual(['b', 'd'])
  for (const { id } of toasts.value) takeAway(id)
  expect(toasts.value).toEqual([])
})
