/** A lab of three steps, and a student in it, for the tests beside this file. */
import { VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { vi } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { newQueryClient, useLab, useSandbox, useStop } from '@/api/queries'
import type {
  Answered, LabContent, LabPage, LabStep, Progress, SandboxNow, StepProgress,
} from '@/api/types'
import GuidePane from '@/workspace/GuidePane.vue'
import type { Command, Wish } from '@/workspace/parts'
import { usePlace } from '@/workspace/progress'
import { serve, type Asked, type Routes } from '../pages/server'
import { until } from '../until'
import { view } from '../views'

export const PLACE = { classId: 'c1', lab: 'web' }
export const LAB = '/v1/classes/c1/labs/web'
export const RUN = '<pre class="command" data-run data-terminal="main"><code>ls</code></pre>'

export function step(id: string, over: Partial<LabStep> = {}): LabStep {
  return {
    id, title: `Title of ${id}`, html: `<p>Text of ${id}</p>`, minutes: 4, checks: [], quiz: [],
    hints: [], hints_total: 0, solvable: false, ...over,
  }
}
const CHECK = { id: 'k1', title: 'The file is there', watch: false }
export const QUIZ = {
  id: 'q1', kind: 'one' as const, html: '<p>What does <code>ls</code> do?</p>',
  choices: [{ id: 'a', html: 'It lists' }, { id: 'b', html: 'It loses' }],
}
export function lab(...steps: LabStep[]): LabContent {
  const all = steps.length ? steps : [step('s1', { checks: [CHECK] }), step('s2'), step('s3')]
  return { name: 'web', title: 'HTTP', summary: '', minutes: 9, number: 2, lifetime_minutes: 60,
    steps: all }
}
export const checked = (over: Partial<LabStep> = {}) => step('s1', { checks: [CHECK], ...over })
export const own = (id: string, over: Partial<StepProgress> = {}): StepProgress =>
  ({ id, state: 'seen', tries: 0, hints: 0, passed_at: null, verdicts: [], quiz: [], ...over })
export const said = (ok: boolean, text = 'No file.') =>
  ({ check: 'k1', title: 'The file is there', ok, text, at: 1 })
export const answered = (over: Partial<Answered> = {}): Answered =>
  ({ question: 'q1', right: false, tries: 1, choices: ['b'], text: null, why: null, ...over })
export const passed = (id = 's1') =>
  own(id, { state: 'passed', passed_at: 5, verdicts: [said(true, 'Here it is.')] })
export function progress(over: Partial<Progress> = {}, ...steps: StepProgress[]): Progress {
  return { step: 's1', done: 0, of: 3, busy: null, watching: null, problem: null, hand_at: null,
    revision: 1, steps, ...over }
}
export const now = (known: Progress | null, over: Partial<SandboxNow> = {}): SandboxNow =>
  ({ sandbox: view(), progress: known, messages: [], now: Date.now(), look_ms: 5_000, ...over })
export const page = (content: LabContent, known: Progress | null): LabPage =>
  ({ ...now(known), lab: content })

export type Shown = Awaited<ReturnType<typeof show>>

/** The guide of a lab before a server that answers as `routes` say. */
export async function show(content: LabContent, known: Progress | null, routes: Routes = {}) {
  document.body.innerHTML = '<div id="overlays"></div>'
  const answer = { progress: known, now: 0 }
  const asked: Asked[] = serve({
    [`GET ${LAB}`]: { body: page(content, known) },
    [`GET ${LAB}/sandbox`]: { body: now(known) },
    [`PUT ${LAB}/progress`]: { body: answer },
    ...routes,
  })
  const ready = ref(true)
  const activity = ref(0)
  const ran: Command[] = []
  const wished: Wish[] = []
  let stop = (): void => undefined
  const Page = defineComponent(() => {
    const guide = useLab(PLACE)
    const looked = useSandbox(PLACE)
    const stopping = useStop()
    stop = () => stopping.mutate(PLACE)
    const at = usePlace(
      PLACE,
      () => guide.data.value?.steps.map(({ id }) => id) ?? [],
      () => looked.data.value?.progress,
    )
    return () =>
      guide.data.value &&
      h(GuidePane, {
        place: PLACE, lab: guide.data.value, progress: looked.data.value?.progress ?? null,
        step: at.step.value, ready: ready.value, main: 'main', activity: activity.value,
        onGo: at.go, onRun: (one: Command) => ran.push(one),
        onWish: (one: Wish) => wished.push(one),
      })
  })
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:classId?', name: 'class', component: { render: () => null } }],
  })
  // A page that nobody sees is drawn whole at once: no test is faster or slower than its frames.
  const unseen = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true)
  const shown = mount(Page, {
    attachTo: document.body,
    global: { plugins: [router, [VueQueryPlugin, { queryClient: newQueryClient(() => 0) }]] },
  })
  await flushPromises()
  unseen.mockRestore()
  if (shown.find('section').exists()) await until(() => shown.find('nav.foot').exists())
  const button = (name: string) =>
    [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === name)
  async function press(name: string): Promise<void> {
    const found = button(name)
    if (!found) throw new Error(`no button ${name} in: ${document.body.textContent}`)
    found.click()
    await flushPromises()
  }
  const strong = () =>
    [...document.querySelectorAll('button.primary, button.run:not(.again)')].map((one) =>
      one.textContent?.trim())
  const sent = (method: string, end: string) =>
    asked.filter((one) => one.method === method && one.path.endsWith(end)).map(({ body }) => body)
  const halt = () => stop()
  return { shown, asked, ready, activity, ran, wished, button, press, strong, sent, router, halt }
}
