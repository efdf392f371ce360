import { afterEach, expect, it } from 'vitest'
import { moveAmongTabs } from '@/components/tabs'

afterEach(() => (document.body.innerHTML = ''))

it('leads the focus round the tabs, and leaves other keys alone', () => {
  const tabs = ['a', 'b', 'c'].map((id) => `<button role="tab" id="${id}"></button>`)
  document.body.innerHTML = `<div role="tablist">${tabs.join('')}</div><button id="d"></button>`
  const list = document.querySelector('div')!
  list.addEventListener('keydown', moveAmongTabs)
  const press = (key: string) => {
    const event = new KeyboardEvent('keydown', { key, cancelable: true, bubbles: true })
    document.activeElement!.dispatchEvent(event)
    return [document.activeElement!.id, event.defaultPrevented]
  }
  document.getElementById('a')!.focus()
  expect(press('ArrowRight')).toEqual(['b', true])
  expect(press('End')).toEqual(['c', true])
  expect(press('ArrowRight')).toEqual(['a', true])
  expect(press('ArrowLeft')).toEqual(['c', true])
  expect(press('Home')).toEqual(['a', true])
  expect(press('x')).toEqual(['a', false])
})
