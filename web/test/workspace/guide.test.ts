// @vitest-environment jsdom
// DOMPurify does not work in happy-dom, which drops its first element.
import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { announcement } from '@/announce'
import '@/workspace/FinishScreen.vue'
import '@/workspace/QuizCard.vue'
import '@/workspace/SolveDialog.vue'
import {
  answered, checked, lab, LAB, now, own, passed, progress, QUIZ, RUN, said, show, step,
} from './lab'

/** A part of the page that is loaded only then. */
const comes = (there: () => void) => vi.waitFor(there, { timeout: 20_000 })
const text = () => document.body.textContent?.replace(/\s+/g, ' ') ?? ''
const busy = (over = {}) => progress({ busy: 's1', revision: 2, ...over }, own('s1'))
let open: Awaited<ReturnType<typeof show>> | null = null
const see: typeof show = async (...given) => (open = await show(...given))

beforeEach(() => {
  localStorage.clear()
  Element.prototype.scrollIntoView = () => undefined
  Element.prototype.scrollTo = () => undefined
})
afterEach(() => {
  open?.shown.unmount()
  open = null
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

it('says Check until the checks pass, and then Next', async () => {
  const done = progress({ revision: 3 }, passed())
  const { press, button, strong, sent } = await see(lab(), progress({}, own('s1')), {
    [`POST ${LAB}/steps/s1/check`]: { status: 202, body: now(done) },
  })
  expect(strong()).toEqual(['Check'])
  expect(button('Next')).toBeUndefined()
  await press('Check')
  expect(sent('POST', '/check')).toEqual([{ quiet: false }])
  expect(strong()).toEqual(['Next'])
  expect(text()).toContain('The file is there Passed')
  expect(text()).toContain('1 of 1 passed')
  expect(announcement.value).toContain('Title of s1')
})

it('says what each check said when it did not pass, in words and not by colour alone', async () => {
  const failed = progress({ revision: 3 }, own('s1', { state: 'failing', tries: 1,
    verdicts: [said(false, 'There is no file book.txt.')] }))
  const { press, strong } = await see(lab(), progress({}, own('s1')), {
    [`POST ${LAB}/steps/s1/check`]: { status: 202, body: now(failed) },
  })
  await press('Check')
  expect(text()).toContain('The file is there Not yetThere is no file book.txt.')
  expect(strong()).toEqual(['Check'])
})

it('is busy at once, asks until there is a verdict, and takes no second press', async () => {
  vi.useFakeTimers()
  const looks = [progress({}, own('s1')), busy(), busy()]
  const last = progress({ revision: 4 }, passed())
  const { press, button, sent } = await see(lab(), progress({}, own('s1')), {
    [`POST ${LAB}/steps/s1/check`]: { status: 202, body: now(busy()) },
    [`GET ${LAB}/sandbox`]: () => ({ body: now(looks.shift() ?? last) }),
  })
  await press('Check')
  expect(text()).toContain('The file is there Checking')
  await press('Checking')
  expect(sent('POST', '/check')).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(4_000)
  expect(button('Next')).toBeDefined()
})

it('says why a check could not be run, and lets it be pressed again', async () => {
  const problem = { title: 'The lab is not running.', fix: 'Press Play first.' }
  const { press, button } = await see(lab(), progress({}, own('s1')), {
    [`POST ${LAB}/steps/s1/check`]: { status: 409, body: problem },
  })
  await press('Check')
  expect(document.querySelector('[role=alert]')?.textContent).toContain('not running')
  expect(button('Check')).toBeDefined()
})

it('is not undone by an older answer that comes late', async () => {
  vi.useFakeTimers()
  const { press, button } = await see(lab(), progress({}, own('s1')), {
    [`POST ${LAB}/steps/s1/check`]: { status: 202, body: now(progress({ revision: 9 }, passed())) },
  })
  await press('Check')
  await vi.advanceTimersByTimeAsync(6_000) // a look with revision 1
  expect(button('Next')).toBeDefined()
})

it('has one strong button: the next command, then Check, then Next', async () => {
  const content = lab(checked({ html: `${RUN}${RUN}` }), step('s2'))
  const { press, strong, ran, ready } = await see(content, progress({}, own('s1')))
  expect(strong()).toEqual(['Run'])
  await press('Run')
  await press('Run')
  expect(ran).toHaveLength(2)
  expect(strong()).toEqual(['Check'])
  ready.value = false
  await flushPromises()
  expect(strong()).toEqual([])
})

it('can be read on without a machine', async () => {
  const { press, ready, sent } = await see(lab(), progress({}, own('s1')))
  ready.value = false
  await flushPromises()
  await press('Next')
  expect(text()).toContain('Title of s2')
  expect(sent('PUT', '/progress')).toEqual([{ step: 's2' }])
})

it('opens at the step the service knows, whatever the device', async () => {
  await see(lab(), progress({ step: 's3' }, own('s3')))
  expect(text()).toContain('Step 3 of 3')
})

it('turns at once and keeps the step until the service has it', async () => {
  const first = await see(lab(), progress({ step: 's2' }, own('s2')), {
    [`PUT ${LAB}/progress`]: { status: 400, body: { title: 'No.' } },
  })
  await first.press('Next')
  expect(text()).toContain('Step 3 of 3')
  first.shown.unmount()
  const { sent } = await see(lab(), progress({ step: 's2' }, own('s2')))
  expect(text()).toContain('Step 3 of 3')
  expect(sent('PUT', '/progress')).toEqual([{ step: 's3' }])
  open?.shown.unmount()
  await see(lab(), progress({ step: 's2' }, own('s2')))
  expect(text()).toContain('Step 2 of 3')
})

it('lists all steps with how each is doing, and goes there', async () => {
  const failing = own('s2', { state: 'failing' })
  const known = progress({}, passed(), failing, own('s3', { state: 'solved' }))
  const { press } = await see(lab(), known)
  await press('All steps')
  const rows = [...document.querySelectorAll('.list button')]
  expect(rows.map((one) => one.textContent?.replace(/\s+/g, ' ').trim())).toEqual([
    '1 Title of s1 passed', '2 Title of s2 not passed yet', '3 Title of s3 done for you'])
  expect(rows[0]?.getAttribute('aria-current')).toBe('step')
  ;(rows[2] as HTMLElement).click()
  await flushPromises()
  expect(text()).toContain('Step 3 of 3')
  expect(document.querySelector('.list')).toBeNull()
})

it('reveals hints one by one, then offers the solution after asking', async () => {
  const content = lab(checked({ hints_total: 2, solvable: true }))
  const hints: string[] = []
  const { press, button, sent } = await see(content, progress({}, own('s1')), {
    [`POST ${LAB}/steps/s1/hint`]: () => {
      hints.push(`<p>Hint text ${hints.length + 1}</p>`)
      return { body: { hints: [...hints], progress: progress({ revision: 2 }, own('s1')) } }
    },
    [`POST ${LAB}/steps/s1/solve`]: {
      status: 202,
      body: now(progress({ revision: 5 }, { ...passed(), state: 'solved' })),
    },
  })
  expect(button('Do it for me')).toBeUndefined()
  await comes(() => expect(button('Show hint 1 of 2')).toBeDefined())
  await press('Show hint 1 of 2')
  await press('Show hint 2 of 2')
  expect(sent('POST', '/hint')).toEqual([{ seen: 0 }, { seen: 1 }])
  expect(text()).toContain('Hint text 1')
  expect(text()).toContain('Hint text 2')
  await press('Do it for me')
  await comes(() => expect(document.querySelector('[role=alertdialog]')).not.toBeNull())
  expect(sent('POST', '/solve')).toHaveLength(0)
  const yes = [...document.querySelectorAll<HTMLElement>('[role=alertdialog] button')].at(-1)
  yes?.click()
  await flushPromises()
  expect(sent('POST', '/solve')).toHaveLength(1)
  expect(text()).toContain('Done for you')
  expect(button('Do it for me')).toBeUndefined()
})

it('asks, says what is wrong with an answer, and why the right one is right', async () => {
  const content = lab(step('s1', { quiz: [QUIZ] }), step('s2'))
  const graded = [
    progress({ revision: 2 }, own('s1', { quiz: [answered({ why: '<p>That is rm.</p>' })] })),
    progress({ revision: 3 }, own('s1', { state: 'passed', quiz: [
      answered({ right: true, choices: ['a'], why: '<p>It is short for list.</p>' })] })),
  ]
  const { press, sent, strong } = await see(content, progress({}, own('s1')), {
    [`POST ${LAB}/steps/s1/quiz`]: () => ({ body: { progress: graded.shift(), now: 0 } }),
  })
  await comes(() => expect(document.querySelector('fieldset legend')).not.toBeNull())
  expect(document.querySelector('legend code')?.textContent).toBe('ls')
  expect(strong()).toEqual(['Answer'])
  await press('Answer')
  expect(text()).toContain('Choose or write an answer first.')
  const radios = document.querySelectorAll<HTMLInputElement>('input[type=radio]')
  radios[1]?.click()
  await flushPromises()
  await press('Answer')
  expect(text()).toContain('Not quite. Try again.')
  expect(text()).toContain('That is rm.')
  radios[0]?.click()
  await flushPromises()
  expect(text()).not.toContain('Not quite')
  await press('Answer')
  expect(sent('POST', '/quiz')).toEqual([
    { question: 'q1', choices: ['b'], text: null }, { question: 'q1', choices: ['a'], text: null }])
  expect(text()).toContain('It is short for list.')
  expect(strong()).toEqual(['Next'])
})

it.each([
  ['many', 'checkbox', { choices: ['a', 'b'], text: null }],
  ['text', 'text', { choices: [], text: 'list it' }],
] as const)('takes an answer of kind %s', async (kind, type, given) => {
  const quiz = [{ ...QUIZ, kind, choices: kind === 'text' ? [] : QUIZ.choices }]
  const { press, sent } = await see(lab(step('s1', { quiz })), progress({}, own('s1')), {
    [`POST ${LAB}/steps/s1/quiz`]: { body: { progress: progress({}, own('s1')), now: 0 } },
  })
  await comes(() => expect(document.querySelector('form.quiz')).not.toBeNull())
  for (const input of document.querySelectorAll<HTMLInputElement>('form.quiz input')) {
    if (kind === 'many') {
      expect(input.type).toBe(type)
      input.click()
      await flushPromises()
    } else {
      input.value = ' list it '
      input.dispatchEvent(new Event('input'))
    }
  }
  await flushPromises()
  await press('Answer')
  expect(sent('POST', '/quiz')).toEqual([{ question: 'q1', ...given }])
})

it('looks by itself once the lab is quiet, and a failure then is no reproach', async () => {
  vi.useFakeTimers()
  const watched = { id: 'k1', title: 'The file is there', watch: true }
  const failed = progress({ revision: 2 }, own('s1', { verdicts: [said(false)] }))
  const { activity, sent } = await see(lab(checked({ checks: [watched] })),
    progress({}, own('s1')), { [`POST ${LAB}/steps/s1/check`]: { status: 202, body: now(failed) } })
  activity.value += 1
  await vi.advanceTimersByTimeAsync(1_000)
  activity.value += 1
  await vi.advanceTimersByTimeAsync(1_000)
  expect(sent('POST', '/check')).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(sent('POST', '/check')).toEqual([{ quiet: true }])
  expect(document.querySelector('.said')).toBeNull()
  activity.value += 1
  await vi.advanceTimersByTimeAsync(2_000)
  expect(sent('POST', '/check')).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(sent('POST', '/check')).toHaveLength(2)
})

it('does not look by itself at a lab that it has just asked to stop', async () => {
  vi.useFakeTimers()
  const watched = checked({ checks: [{ id: 'k1', title: 'The file is there', watch: true }] })
  let stopped: (said: { body: unknown }) => void = () => undefined
  const { activity, sent, halt } = await see(lab(watched), progress({}, own('s1')), {
    [`DELETE ${LAB}/sandbox`]: () => new Promise((done) => (stopped = done)),
  })
  halt()
  await vi.advanceTimersByTimeAsync(0)
  expect(sent('DELETE', '/sandbox')).toHaveLength(1)
  activity.value += 1
  await vi.advanceTimersByTimeAsync(20_000)
  expect(sent('POST', '/check')).toHaveLength(0)
  stopped({ body: now(progress({}, own('s1'))) }) // it is kept after all
  await vi.advanceTimersByTimeAsync(0)
  activity.value += 1
  await vi.advanceTimersByTimeAsync(2_000)
  expect(sent('POST', '/check')).toHaveLength(1)
})

it('does not look by itself for checks that are not watched', async () => {
  vi.useFakeTimers()
  const { activity, sent } = await see(lab(), progress({}, own('s1')))
  activity.value += 1
  await vi.advanceTimersByTimeAsync(20_000)
  expect(sent('POST', '/check')).toHaveLength(0)
})

it('asks the workspace to open files and pages', async () => {
  const html =
    '<p><a class="action" href="#" data-file="/srv/a.html" data-line="4" data-machine="web">a</a>' +
    '<a class="action" href="#" data-port="8080" data-machine="web">b</a></p>'
  const { wished } = await see(lab(step('s1', { html })), progress({}, own('s1')))
  for (const link of document.querySelectorAll<HTMLElement>('a.action')) link.click()
  expect(wished).toEqual([
    { kind: 'file', machine: 'web', path: '/srv/a.html', line: 4 },
    { kind: 'port', machine: 'web', port: 8080 },
  ])
})

it('ends with what was done and what is open', async () => {
  const known = progress({ step: 's3' }, passed(), own('s2', { state: 'failing', hints: 2 }),
    passed('s3'))
  const { press } = await see(lab(), known)
  await press('Finish')
  await comes(() => expect(text()).toContain('The end of the guide'))
  expect(text()).toContain('2/3')
  expect(text()).toContain('hints used')
  const row = [...document.querySelectorAll<HTMLElement>('.row')]
  expect(row.map((one) => one.textContent)).toEqual([expect.stringContaining('Title of s2')])
  row[0]?.click()
  await flushPromises()
  expect(text()).toContain('Step 2 of 3')
})
