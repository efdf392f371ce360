import { flushPromises, mount } from '@vue/test-utils'
import { nextTick } from 'vue'
import { beforeEach, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { announcement } from '@/announce'
import type { TrainerMessage } from '@/api/types'
import { newer, settled } from '@/api/standing'
import HelpDialog from '@/workspace/HelpDialog.vue'
import LabBar from '@/workspace/LabBar.vue'
import type { Command } from '@/workspace/parts'
import { send } from '@/workspace/sending'
import TrainerWords from '@/workspace/TrainerWords.vue'
import { view } from '../views'
import { now, progress } from './lab'

const word = (id: string, at: number, over: Partial<TrainerMessage> = {}): TrainerMessage =>
  ({ id, text: `Text ${id}`, sender: 'Prof. Iyer', at, to_me: false, ...over })
const words = (...messages: TrainerMessage[]) =>
  mount(TrainerWords, { props: { classId: 'c1', messages, now: 0 } })
function bar(over: Partial<InstanceType<typeof LabBar>['$props']> = {}) {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:classId?', name: 'class', component: { render: () => null } }],
  })
  return mount(LabBar, {
    global: { plugins: [router] },
    props: {
      classId: 'c1', above: 'DevOps · Lab 4', title: 'Volumes', sandbox: view(), now: 0,
      connection: 'connected', watchers: [], helpers: [], extending: false, raised: null, ...over,
    },
  })
}

beforeEach(() => {
  localStorage.clear()
  document.body.innerHTML = '<div id="overlays"></div>'
})

it('shows what the trainer says, says it aloud, and remembers what was put aside', async () => {
  const page = words(word('m1', 1))
  await nextTick()
  expect(announcement.value).toBe('Prof. Iyer says: Text m1')
  expect(page.text()).toContain('Text m1')
  await page.setProps({ messages: [word('m1', 1), word('m2', 2, { to_me: true })] })
  expect(page.text()).toContain('Text m2')
  expect(page.text()).toContain('to you')
  expect(page.text()).toContain('1 more')
  await page.find('button').trigger('click')
  await page.find('button').trigger('click')
  expect(page.find('aside').exists()).toBe(false)
  expect(words(word('m1', 1), word('m2', 2)).find('aside').exists()).toBe(false)
  expect(words(word('m3', 3)).text()).toContain('Text m3')
})

it('says who is watching and who types with you', async () => {
  const page = bar({ watchers: ['Prof. Iyer'] })
  expect(page.text()).toContain('Prof. Iyer is watching')
  await page.setProps({ helpers: ['Prof. Iyer'] })
  expect(page.text()).toContain('Prof. Iyer is typing with you')
})

it('offers help, and shows a hand that is up', async () => {
  const page = bar()
  const help = () => page.findAll('button').find((one) => /Help|Hand raised/.test(one.text()))
  await help()?.trigger('click')
  expect(page.emitted('help')).toHaveLength(1)
  await page.setProps({ raised: 5 })
  expect(help()?.text()).toBe('Hand raised')
  await page.setProps({ raised: undefined })
  expect(help()).toBeUndefined()
})

const dialog = () => document.querySelector<HTMLElement>('[role=dialog]')
const press = (name: string) =>
  [...(dialog()?.querySelectorAll('button') ?? [])]
    .find((one) => one.textContent?.includes(name))?.click()

it('raises a hand with a word, and with none', async () => {
  const props = { raised: null, now: 0, error: null }
  const page = mount(HelpDialog, { props, attachTo: document.body })
  await flushPromises()
  const area = dialog()?.querySelector('textarea')
  if (!area) throw new Error('no place for words')
  area.value = ' Step 3 '
  area.dispatchEvent(new Event('input'))
  await nextTick()
  dialog()?.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }))
  expect(page.emitted('raise')).toEqual([['Step 3']])
  page.unmount()
})

it('says that the hand is up, and takes it down', async () => {
  const props = { raised: 1, now: 1, error: null }
  const page = mount(HelpDialog, { props, attachTo: document.body })
  await flushPromises()
  expect(dialog()?.textContent).toContain('Your hand is up')
  press('Lower my hand')
  expect(page.emitted('lower')).toHaveLength(1)
  page.unmount()
})

function line() {
  const typed: string[] = []
  const decode = (bytes: Uint8Array) => void typed.push(new TextDecoder().decode(bytes))
  const to = {
    run: (text: string) => void typed.push(`${text}\r`),
    link: { type: decode },
    screen: { focus: () => void typed.push('<focus>') },
  }
  return { typed, to }
}
const command = (over: Partial<Command>): Command => ({
  verb: 'run', text: 'ls', terminal: null, interrupt: false, clear: false,
  host: document.createElement('div'), ...over,
})

it('runs a command, or types it and leaves Enter to the person', () => {
  const { typed, to } = line()
  send(to, command({}))
  send(to, command({ verb: 'type', text: 'rm x' }))
  expect(typed).toEqual(['ls\r', 'rm x', '<focus>'])
})

it('interrupts first, waits a moment, then clears the screen and runs', () => {
  vi.useFakeTimers()
  const { typed, to } = line()
  send(to, command({ interrupt: true, clear: true }))
  expect(typed).toEqual(['\x03'])
  vi.runAllTimers()
  expect(typed).toEqual(['\x03', '\x0c', 'ls\r'])
  vi.useRealTimers()
})

it('lets no older or overtaken answer undo what is known', () => {
  const [old, fresh] = [progress({ revision: 1 }), progress({ revision: 2, done: 1 })]
  expect(newer(fresh, old)).toBe(fresh)
  expect(newer(old, fresh)).toBe(fresh)
  expect(newer(fresh, null)).toBeNull()
  const pressed = now(progress({ busy: 's1' }))
  expect(settled(pressed, now(fresh), true).progress?.busy).toBe('s1')
  expect(settled(pressed, now(fresh), false).progress?.done).toBe(1)
  expect(settled(undefined, now(fresh), true).progress).toBe(fresh)
})
