import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, expect, it } from 'vitest'
import { computed, defineComponent, h, nextTick, ref, shallowReactive } from 'vue'
import { announce, announcement } from '@/announce'
import type { SandboxView } from '@/api/types'
import type { TerminalSession } from '@/terminal/session'
import { nextShell } from '@/workspace/shells'
import { tabsOf } from '@/workspace/tabs'
import type { Terminals } from '@/workspace/terminals'
import WorkBench from '@/workspace/WorkBench.vue'
import { view } from '../views'

/** Terminals that are asked for and never get a line: what the bench does shows without one. */
class Asked implements Terminals {
  readonly sessions = shallowReactive(new Map<string, TerminalSession>())
  readonly extras = ref<string[]>([])
  readonly editor = ref(null)
  readonly opened: string[] = []
  readonly closed: string[] = []
  editors = 0
  async open(name: string): Promise<void> {
    this.opened.push(name)
  }
  async openEditor(): Promise<void> {
    this.editors += 1
  }
  add(beside: string): string | null {
    const name = nextShell(beside, this.extras.value)
    if (name) this.extras.value = [...this.extras.value, name]
    return name
  }
  close(name: string): void {
    this.closed.push(name)
    this.extras.value = this.extras.value.filter((one) => one !== name)
  }
}

let page: VueWrapper
function bench(over: Partial<SandboxView> = {}) {
  const terminals = new Asked()
  const active = ref('')
  const guide = ref(0)
  const sandbox = ref(view({ terminals: [{ name: 'main', machine: 'lab' }], ...over }))
  const Lab = defineComponent(() => {
    const tabs = computed(() => tabsOf(sandbox.value, terminals.extras.value))
    return () =>
      h(WorkBench, {
        place: { classId: 'c', lab: 'l' }, sandbox: sandbox.value, tabs: tabs.value, terminals,
        strip: true, alone: false, modelValue: active.value, onGuide: () => (guide.value += 1),
        'onUpdate:modelValue': (id: string) => (active.value = id),
      })
  })
  page = mount(Lab, { attachTo: document.body })
  return { terminals, active, guide, sandbox }
}
afterEach(() => {
  page.unmount()
  announce('')
})
const titles = () => page.findAll('[role=tab]').map((tab) => tab.text())
const button = (name: string) => page.find(`button[aria-label="${name}"]`)
async function press(code: string): Promise<void> {
  const event = new KeyboardEvent('keydown', { code, ctrlKey: true, altKey: true, bubbles: true })
  Object.defineProperty(event, 'getModifierState', { value: () => false })
  document.body.dispatchEvent(event)
  await nextTick()
}

it('opens the first terminal, and others only when they are turned to', async () => {
  const two = [{ name: 'main', machine: 'lab' }, { name: 'db', machine: 'db' }]
  const { terminals, active } = bench({ terminals: two })
  expect([titles(), terminals.opened, terminals.editors]).toEqual(
    [['main', 'db', 'Editor'], ['main'], 0],
  )
  active.value = 'terminal:db'
  await nextTick()
  expect(terminals.opened).toEqual(['main', 'db'])
  active.value = 'editor'
  await nextTick()
  expect(terminals.editors).toBe(1)
})

it('opens the editor of a lab that still starts as soon as it is ready', async () => {
  const { terminals, active, sandbox } = bench({ phase: 'starting' })
  active.value = 'editor'
  await nextTick()
  expect(terminals.editors).toBe(0)
  sandbox.value = { ...sandbox.value, phase: 'ready' }
  await nextTick()
  expect(terminals.editors).toBe(1)
})

it('opens one more shell, and closes it', async () => {
  const { terminals, active } = bench()
  await button('One more shell').trigger('click')
  expect([titles(), active.value]).toEqual([['main', 'main 2', 'Editor'], 'terminal:main~2'])
  await button('Close main 2').trigger('click')
  expect([titles(), active.value, terminals.closed]).toEqual(
    [['main', 'Editor'], 'terminal:main', ['main~2']],
  )
  expect(button('Close main').exists()).toBe(false)
})

it('says when there are enough shells', async () => {
  const { terminals } = bench()
  for (let n = 0; n < 6; n += 1) await button('One more shell').trigger('click')
  await flushPromises()
  expect(terminals.extras.value).toHaveLength(5)
  expect(announcement.value).toBe('There are enough shells open.')
})

it('has no further shells before the lab is ready', () => {
  bench({ phase: 'starting' })
  expect(button('One more shell').exists()).toBe(false)
})

it('turns to tabs and to the guide by keys', async () => {
  const { active, guide } = bench()
  await press('Digit2')
  expect(active.value).toBe('editor')
  await press('Digit7')
  expect(active.value).toBe('editor')
  await press('KeyG')
  expect(guide.value).toBe(1)
})

it('hears no keys any more when it is gone', async () => {
  const { guide } = bench()
  page.unmount()
  await press('KeyG')
  expect(guide.value).toBe(0)
})
