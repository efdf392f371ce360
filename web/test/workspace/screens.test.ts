import { VueQueryPlugin } from '@tanstack/vue-query'
import { mount } from '@vue/test-utils'
import { nextTick, shallowReactive } from 'vue'
import { afterEach, expect, it, vi } from 'vitest'
import { announce, announcement } from '@/announce'
import { ApiProblem } from '@/api/problem'
import { newQueryClient } from '@/api/queries'
import type { SandboxView } from '@/api/types'
import { serverClock } from '@/clock'
import type { TerminalView } from '@/terminal/session'
import { connection } from '@/workspace/connection'
import ConnectionBanner from '@/workspace/ConnectionBanner.vue'
import ExpiryNotice from '@/workspace/ExpiryNotice.vue'
import RestScreen from '@/workspace/RestScreen.vue'
import StartScreen from '@/workspace/StartScreen.vue'
import { tabsOf } from '@/workspace/tabs'
import TimerBox from '@/workspace/TimerBox.vue'
import { serve } from '../pages/server'
import { until } from '../until'
import { view } from '../views'

const MINUTE = 60_000
const rest = (over: Partial<InstanceType<typeof RestScreen>['$props']> = {}) =>
  mount(RestScreen, { props: { sandbox: null, problem: null, now: 0, minutes: 5, ...over } })
const line = (over: Partial<TerminalView> = {}): TerminalView => ({
  state: { name: 'open' }, waiting: '', full: false, writer: true, watchers: [], helpers: [],
  control: false, notice: '', everOpen: true, ...over,
})

/** The moment at which all clocks stand from now on, or a busy machine makes it a second later. */
function standingStill(): number {
  vi.spyOn(Date, 'now').mockReturnValue(Date.now())
  return serverClock.now()
}
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

it('offers Play where there is no lab', async () => {
  const page = rest()
  await page.find('button').trigger('click')
  expect(page.emitted('play')).toHaveLength(1)
})

it('says what was deleted when a lab is gone', () => {
  const two = [{ name: 'a', state: 'gone' }, { name: 'b', state: 'gone' }]
  const ports = [{ machine: 'a', port: 80, title: 'Web' }]
  const page = rest({ sandbox: view({ phase: 'gone', machines: two, ports, ended_at: 0 }) })
  expect(page.text()).toContain('2 machines deleted')
  expect(page.text()).toContain('Files and programs deleted')
  expect(page.text()).toContain('Web pages closed')
  expect(page.text()).toContain('Play again')
})

it('says why a start failed, in the server’s words', () => {
  const failed = view({ phase: 'failed', ready_at: null, reason: 'No memory left.' })
  const page = rest({ sandbox: failed })
  expect(page.text()).toContain('did not start')
  expect(page.text()).toContain('No memory left.')
  expect(page.text()).toContain('Try again')
})

it('tells a lab that broke from one that never started', () => {
  const page = rest({ sandbox: view({ phase: 'failed', ready_at: 5, reason: 'It is lost.' }) })
  expect(page.text()).toContain('stopped by accident')
  expect(page.text()).toContain('Play again')
})

it('has no button while a lab is being deleted', () => {
  expect(rest({ sandbox: view({ phase: 'stopping' }) }).find('button').exists()).toBe(false)
})

it('says why Play was refused and what to do', () => {
  const problem = new ApiProblem(409, { title: 'Two labs at a time.', fix: 'Stop one first.' })
  expect(rest({ problem }).text()).toContain('Two labs at a time.Stop one first.')
})

it('shows the stages of a start to eyes and ears', () => {
  const asked_at = standingStill()
  const sandbox = view({ phase: 'starting', asked_at, seconds_expected: 9,
    machines: [{ name: 'lab', state: 'running' }] })
  const page = mount(StartScreen, { props: { sandbox, opened: false } })
  expect(page.text()).toContain('About 9 seconds')
  expect(page.find('[role=progressbar]').attributes('aria-valuenow')).toBeDefined()
  expect(page.findAll('.dot.done')).toHaveLength(2)
  page.unmount()
})

it('says how many are before you while a machine waits for its turn', () => {
  const asked_at = standingStill()
  const sandbox = view({ phase: 'queued', asked_at, seconds_expected: 200, ahead: 41 })
  const page = mount(StartScreen, { props: { sandbox, opened: false } })
  expect(page.text()).toContain('41 students are before you.')
  expect(page.text()).toContain('About 200 seconds')
  page.unmount()
})

it('extends by the button, and cannot when nothing is left', async () => {
  const props = { deadline: 40 * MINUTE, now: 0, extendMinutes: 15, extensionsLeft: 1, busy: false }
  const page = mount(TimerBox, { props })
  expect(page.text()).toContain('40:00')
  await page.find('button').trigger('click')
  expect(page.emitted('extend')).toHaveLength(1)
  await page.setProps({ extensionsLeft: 0 })
  await page.find('button').trigger('click')
  expect(page.emitted('extend')).toHaveLength(1)
})

it('says aloud at five minutes and at one, once each', async () => {
  const props = { deadline: 6 * MINUTE, now: 0, extendMinutes: 15, extensionsLeft: 1, busy: false }
  announce('') // what other tests said is not heard here
  await nextTick()
  const page = mount(TimerBox, { props })
  const after = async (now: number) => {
    await page.setProps({ now })
    await nextTick()
    return announcement.value
  }
  expect(await after(0.5 * MINUTE)).toBe('')
  expect(await after(1.1 * MINUTE)).toContain('5 minutes')
  expect(await after(5.1 * MINUTE)).toContain('One minute')
})

const notice = (sandbox: SandboxView) =>
  mount(ExpiryNotice, {
    props: { place: { classId: 'demo', lab: 'web' }, sandbox, now: 0, busy: false },
    global: { plugins: [[VueQueryPlugin, { queryClient: newQueryClient(() => 0) }]] },
  })

it('asks before the end, is hushed by a press, and asks once more at the last minute', async () => {
  const page = notice(view({ deadline_at: 6 * MINUTE, idle_at: 9 * MINUTE }))
  const shown = () => page.find('section').exists()
  expect(shown()).toBe(false)
  await page.setProps({ now: 2 * MINUTE })
  expect(shown()).toBe(true)
  await page.findAll('button').at(-1)!.trigger('click')
  expect(shown()).toBe(false)
  await page.setProps({ now: 5.2 * MINUTE })
  expect(shown()).toBe(true)
  await page.setProps({ now: 7 * MINUTE })
  expect(shown()).toBe(false)
})

it('asks three minutes before an idle lab ends, and one press says who is there', async () => {
  const asked = serve({})
  const page = notice(view({ deadline_at: 60 * MINUTE, idle_at: 30 * MINUTE }))
  await page.setProps({ now: 26.9 * MINUTE })
  expect(page.text()).toBe('')
  await page.setProps({ now: 27.5 * MINUTE })
  expect(page.text()).toContain('2:30')
  expect(page.text()).toContain('Nobody has typed')
  await page.find('button').trigger('click')
  await until(() => asked.length > 0)
  expect(asked[0]).toMatchObject({
    method: 'POST',
    path: '/v1/classes/demo/labs/web/sandbox/stay',
  })
  await page.setProps({ sandbox: view({ deadline_at: 60 * MINUTE, idle_at: 57 * MINUTE }) })
  expect(page.text()).toBe('')
})

it('tells a first connection from a lost one', () => {
  const first = line({ state: { name: 'connecting', attempt: 0 }, everOpen: false })
  expect(connection(first)).toBe('connecting')
  expect(connection(line({ state: { name: 'connecting', attempt: 0 } }))).toBe('reconnecting')
  expect(connection(line({ state: { name: 'stale' } }))).toBe('reconnecting')
  expect(connection(line())).toBe('connected')
  expect(connection(undefined)).toBe('none')
})

it('shows the try, what waits to be sent, and retries by a press', async () => {
  const state = { name: 'waiting', attempt: 3, retryAt: 0 } as const
  const page = mount(ConnectionBanner, { props: { view: line({ state, waiting: 'ls⏎' }) } })
  expect(page.text()).toContain('try 3')
  expect(page.text()).toContain('ls⏎')
  await page.find('button').trigger('click')
  expect(page.emitted('retry')).toHaveLength(1)
})

it('is quiet while all is well, and when the whole lab is over', () => {
  const end = { kind: 'gone' } as const
  for (const given of [line(), line({ state: { name: 'ended', end } })]) {
    expect(mount(ConnectionBanner, { props: { view: given } }).text()).toBe('')
  }
})

it('offers a new shell where one has ended', async () => {
  const given = shallowReactive(line({ state: { name: 'ended', end: { kind: 'exited' } } }))
  const page = mount(ConnectionBanner, { props: { view: given } })
  await page.find('button').trigger('click')
  expect(page.emitted('restart')).toHaveLength(1)
})

it('makes a tab of each terminal and each port', () => {
  const ports = [{ machine: 'shop', port: 8080, title: 'The shop' }]
  expect(tabsOf(view({ ports })).map(({ id, title }) => [id, title])).toEqual([
    ['terminal:main', 'main'],
    ['editor', 'Editor'],
    ['port:shop:8080', 'The shop'],
  ])
  expect(tabsOf(null)).toEqual([])
})
