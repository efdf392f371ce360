/** The drawer about one student, but for their terminal: that is watched by the browser's tests. */
import { flushPromises } from '@vue/test-utils'
import { defineComponent, h } from 'vue'
import { afterEach, expect, it, vi } from 'vitest'
import type { BoardStudent } from '@/api/types'
import { rowOf } from '@/pages/board/rows'
import WatchDrawer from '@/pages/board/WatchDrawer.vue'
import { until } from '../until'
import { box, MINUTE, NOW, show, student, WEB, type Visit } from './class'

let now: Visit
let heard: string[]
afterEach(() => {
  now.page.unmount()
  vi.unstubAllGlobals()
})

const FAILED = {
  check: 'there', title: 'The page is there', ok: false, text: 'No such file.', at: NOW,
}
const STEP = { id: 's2', done_at: null, viewed_at: NOW, hints: 0, verdicts: [FAILED], answers: [] }
const PROGRESS = { steps: [STEP], done: 1, busy: false, watching: false, hand: null }
async function watch(one: BoardStudent, lab = WEB): Promise<void> {
  heard = []
  const events = ['close', 'message', 'extend', 'lower', 'stop']
  const listeners = Object.fromEntries(
    events.map((name) => [`on${name[0]?.toUpperCase()}${name.slice(1)}`, () => heard.push(name)]))
  const row = rowOf(one, NOW)
  const at = defineComponent(() => () =>
    h(WatchDrawer, { classId: 'c1', row, lab, minutes: 10, now: NOW, ...listeners }))
  const sandbox = {
    sandbox: null, progress: PROGRESS, messages: [], now: NOW, look_ms: 60_000,
  }
  now = await show(at, {
    'GET /v1/classes/c1/labs/web/sandbox': { body: sandbox },
  })
  await until(() => document.querySelector('.drawer'))
}
const text = () => document.querySelector('.drawer')?.textContent?.replace(/\s+/g, ' ') ?? ''
const button = (name: string) =>
  [...document.querySelectorAll<HTMLElement>('.drawer button')].find((one) =>
    (one.getAttribute('aria-label') ?? one.textContent ?? '').includes(name))

it('says who it is, on which step, what they asked, and why they are stuck', async () => {
  const need = { kind: 'hand', since: NOW - MINUTE, text: 'Where is it?' } as const
  await watch(student('Asha', { phase: null }, need))
  expect(text()).toContain('Asha')
  expect(text()).toContain('Step 2 of 3 · Two')
  expect(text()).toContain('Where is it?')
  await until(() => text().includes('The page is there No such file.'))
  button('Lower hand')?.click()
  button('Message')?.click()
  await flushPromises()
  expect(heard).toEqual(['lower', 'message'])
})

it('says once what a check has found, with the check', async () => {
  await watch(student('Asha', {}, { kind: 'failing', since: NOW - MINUTE, text: 'No such file.' }))
  await until(() => text().includes('The page is there No such file.'))
  expect(text().split('No such file.')).toHaveLength(2)
})

it('offers to watch, extend and stop only what runs, and says what there is instead', async () => {
  const phases = [
    [{ phase: 'starting' }, 'The lab is starting.'],
    [{ phase: 'failed', reason: 'Sold out everywhere.' }, 'Sold out everywhere.'],
    [{ phase: 'gone' }, 'Nothing runs here now.'],
    [{ phase: null }, 'No lab has been started.'],
  ] as const
  for (const [view, words] of phases) {
    await watch(student('Asha', view))
    expect(text()).toContain(words)
    for (const name of ['Take over', '+10 min', 'Stop the lab of Asha']) {
      expect(button(name), `${name}, ${words}`).toBeUndefined()
    }
    now.page.unmount()
  }
  await watch({ ...student('Asha'), lab: null, labs: { web: box() } })
  expect(text()).toContain('Has not begun a lab')
})

it('lets the trainer extend and stop a lab that runs, terminal or not', async () => {
  await watch(student('Asha'), { ...WEB, terminals: [] })
  expect(button('Take over')).toBeUndefined()
  expect(text()).toContain('Asha sees that you are watching.')
  button('+10 min')?.click()
  button('Stop the lab of Asha')?.click()
  button('Close')?.click()
  await flushPromises()
  expect(heard).toEqual(['extend', 'stop', 'close'])
})
