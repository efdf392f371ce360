import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import BoardPage from '@/pages/BoardPage.vue'
import { until } from '../until'
import type { Routes } from '../pages/server'
import { absent, boardOf, MINUTE, NOW, setupOf, show, student, type Visit } from './class'

let now: Visit
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => {
  now.page.unmount()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const CLASS = [
  student('Asha', {}, { kind: 'hand', since: NOW - 6 * MINUTE, text: 'Where is it?' }),
  student('Yusuf', { marks: 'x..', step: 1 }, { text: 'No such file.', since: NOW - 13 * MINUTE }),
  student('Uma'),
  absent('Noah'),
]
function routes(over: Routes = {}): Routes {
  return {
    'GET /v1/classes/c1/board': { body: boardOf(CLASS) },
    'GET /v1/classes/c1/setup': { body: setupOf() },
    ...over,
  }
}
const STOPPED = { 'POST /v1/classes/c1/stop': { body: { count: 3, now: NOW } } }
const button = (name: string) =>
  [...document.querySelectorAll<HTMLElement>('button, [role=checkbox]')].find((one) =>
    (one.getAttribute('aria-label') ?? one.textContent ?? '').replace(/\s+/g, ' ').includes(name))
const names = () =>
  [...document.querySelectorAll('.cards .opener')].map((one) => one.textContent?.trim())
async function open(answers: Routes): Promise<void> {
  now = await show(BoardPage, answers)
  await until(() => names().length > 0 && document.querySelector('#needs-title'))
}
const posted = (path: string) => now.asked.filter((one) => one.path.endsWith(path))
const later = async (ms: number) => {
  await vi.advanceTimersByTimeAsync(ms)
  await flushPromises()
}

it('shows figures, who needs the trainer, cost against budget, and each student', async () => {
  await open(routes())
  const text = now.page.text()
  for (const words of ['24 min in', '$4.39', 'of $12', '$3.36 an hour', 'Step 2', 'of 4']) {
    expect(text).toContain(words)
  }
  const queue = now.page.find('[aria-labelledby=needs-title]').text()
  expect(queue.indexOf('Yusuf')).toBeLessThan(queue.indexOf('Asha'))
  expect(queue).toContain('step 1 · No such file.')
  expect(queue).toContain('“Where is it?”')
  expect(names()).toEqual(['Yusuf', 'Asha', 'Uma'])
  expect(now.page.find('.cards').text()).toContain('Not here')
  const chart = now.page.find('ol[aria-label="Students on each step"]').text()
  expect(chart).toContain('Step 1, One: 1, of them 1 stuck')
})

it('filters by state and by name', async () => {
  await open(routes())
  button('Working 1')!.click()
  await flushPromises()
  expect(names()).toEqual(['Uma'])
  button('All 4')!.click()
  button('Find a student')!.click()
  await flushPromises()
  await now.page.find('input[type=text]').setValue('yus')
  expect(names()).toEqual(['Yusuf'])
})

it('extends the running labs of those selected, with the deadlines on screen', async () => {
  const count = { body: { count: 2, now: NOW } }
  await open(routes({ 'POST /v1/classes/c1/extend': count }))
  for (const name of ['Uma', 'Asha']) button(`Select ${name}`)!.click()
  await until(() => button('Extend 15 min'))
  button('Extend 15 min')!.click()
  await flushPromises()
  const [sent] = posted('/extend')
  const deadline_at = NOW + 30 * MINUTE
  expect(sent?.body).toEqual({
    minutes: 15,
    sandboxes: [
      { student: 'asha', lab: 'web', deadline_at }, { student: 'uma', lab: 'web', deadline_at },
    ],
  })
})

it('says what stopping all deletes, waits five seconds, and can be undone', async () => {
  await open(routes(STOPPED))
  const confirm = async () => {
    button('Stop all')!.click()
    await until(() => document.querySelector('[role=alertdialog]'))
    expect(document.querySelector('[role=alertdialog]')!.textContent).toContain('every file')
    button('Stop 3 labs')!.click()
    await until(() => button('Undo'))
  }
  await confirm()
  await later(4_000)
  expect(posted('/stop')).toEqual([])
  button('Undo')!.click()
  await later(6_000)
  expect(posted('/stop')).toEqual([])
  await confirm()
  await later(5_000)
  expect(posted('/stop').map(({ body }) => body)).toEqual([{ sandboxes: null }])
})

it('does a confirmed stop at once when the page is left', async () => {
  await open(routes(STOPPED))
  button('Stop all')!.click()
  await until(() => button('Stop 3 labs'))
  button('Stop 3 labs')!.click()
  await until(() => button('Undo'))
  await now.router.push('/class/c1')
  await flushPromises()
  expect(posted('/stop')).toHaveLength(1)
})

it('says something to the whole class, and twice the same key when the line was bad', async () => {
  let tries = 0
  const said = () => {
    tries += 1
    if (tries === 1) return { status: 503, body: { title: 'Busy' } }
    return { status: 201, body: { id: 'm', text: 'Hello', at: NOW, students: 3 } }
  }
  await open(routes({ 'POST /v1/classes/c1/messages': said }))
  button('Broadcast')!.click()
  await until(() => document.querySelector('textarea'))
  const area = document.querySelector('textarea')!
  area.value = ' Hello '
  area.dispatchEvent(new Event('input'))
  await flushPromises()
  button('Send')!.click()
  await later(1_000)
  await until(() => posted('/messages').length === 2)
  const [first, again] = posted('/messages').map(({ body }) => body as Record<string, unknown>)
  expect(first).toMatchObject({ text: 'Hello', students: null })
  expect(again?.key).toBe(first?.key)
  expect(String(first?.key).length).toBeGreaterThanOrEqual(8)
})

it('keeps the last good board and says how old it is when nobody answers', async () => {
  let down = false
  const board = () =>
    down ? { status: 500, body: { title: 'No' } } : { body: { ...boardOf(CLASS), now: Date.now() } }
  await open(routes({ 'GET /v1/classes/c1/board': board }))
  expect(now.page.text()).not.toContain('No answer')
  down = true
  vi.spyOn(Date, 'now').mockReturnValue(NOW + 60_000)
  await later(2_600)
  expect(names()).toHaveLength(3)
  expect(now.page.text()).toMatch(/No answer from the service. This is \d+ seconds old/)
  vi.restoreAllMocks()
})
