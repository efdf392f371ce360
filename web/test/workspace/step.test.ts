// @vitest-environment jsdom
// DOMPurify does not work in happy-dom, which drops its first element.
import { flushPromises, mount } from '@vue/test-utils'
import { expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { parts, pieces } from '@/workspace/parts'
import StepBody from '@/workspace/StepBody.vue'
import { until } from '../until'

const RUN =
  '<pre class="command" data-run data-terminal="db" data-language="sh"><code>ls &amp;&amp; pwd\n</code></pre>'
const COPY = '<pre class="command" data-copy data-language="sh"><code>echo "Asha"</code></pre>'

function html(made: ReturnType<typeof parts>): string {
  const holder = document.createElement('div')
  holder.append(made.fragment)
  return holder.innerHTML
}
async function step(text: string, ready = true) {
  const page = mount(StepBody, {
    props: { html: text, ready, main: 'main' },
    attachTo: document.body,
  })
  await flushPromises()
  const button = (name: string) =>
    [...document.querySelectorAll('button')].filter((one) => one.textContent?.includes(name))
  return { page, button }
}

it('takes commands out of the text with their terminal, wherever they stand', () => {
  const made = parts(`<p>Try</p><ul><li>${RUN}</li></ul>${COPY}`)
  expect(made.commands.map(({ verb, text, terminal }) => [verb, text, terminal])).toEqual([
    ['run', 'ls && pwd', 'db'],
    ['copy', 'echo "Asha"', null],
  ])
  expect(html(made)).not.toContain('<pre')
})

it.each([
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  '<a href="javascript:alert(1)">x</a>',
  '<iframe src="https://example.org"></iframe>',
  '<form action="/v1/join"><input name="code"></form>',
  '<p style="position:fixed">x</p>',
])('keeps %s out of the page', (evil) => {
  expect(html(parts(evil))).not.toMatch(/onerror|<script|javascript:|<iframe|<form|<input|style=/)
})

it('keeps what lab authors use', () => {
  const good =
    '<div class="callout" role="note" data-callout="tip"><p class="callout-title">T</p></div>' +
    '<a href="https://example.org/" target="_blank" rel="noopener noreferrer">x</a>' +
    '<a href="#s2" data-step="s2">next</a><pre class="code" tabindex="0"><code>' +
    '<span class="tok-k">if</span></code></pre>'
  expect(html(parts(good))).toBe(good)
})

it('runs a command by one press, then offers to run it again', async () => {
  const { page, button } = await step(RUN + RUN)
  expect(button('Run')).toHaveLength(2)
  button('Run')[0]!.click()
  await flushPromises()
  expect(page.emitted('run')?.[0]?.[0]).toMatchObject({ text: 'ls && pwd', terminal: 'db' })
  expect(button('Run again')).toHaveLength(1)
  page.unmount()
})

it('shows one strong button: the first command not yet run', async () => {
  const { page, button } = await step(RUN + RUN)
  const strong = () => button('Run').map((one) => !one.classList.contains('again'))
  expect(strong()).toEqual([true, false])
  button('Run')[0]!.click()
  await flushPromises()
  expect(strong()).toEqual([false, true])
  page.unmount()
})

it('runs nothing while there is no machine, and says why', async () => {
  const { page, button } = await step(RUN, false)
  button('Run')[0]!.click()
  expect(page.emitted('run')).toBeUndefined()
  expect(button('Run')[0]!.getAttribute('aria-disabled')).toBe('true')
  expect(button('Run')[0]!.title).toContain('Press Play')
  page.unmount()
})

it('forgets what ran when its machine is gone', async () => {
  const { page, button } = await step(RUN)
  button('Run')[0]!.click()
  await flushPromises()
  await page.setProps({ ready: false })
  await page.setProps({ ready: true })
  expect(button('Run again')).toHaveLength(0)
  page.unmount()
})

it('copies a command that is meant to be changed first', async () => {
  const writeText = vi.fn(async () => undefined)
  vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText } })
  const { page, button } = await step(COPY)
  expect(button('Run')).toHaveLength(0)
  button('Copy')[0]!.click()
  await flushPromises()
  expect(writeText).toHaveBeenCalledWith('echo "Asha"')
  expect(button('Copied')).toHaveLength(1)
  page.unmount()
  vi.unstubAllGlobals()
})

it('goes to another step by a link, and shows that step’s commands alone', async () => {
  const { page, button } = await step(`<a href="#s2" data-step="s2">next</a>${RUN}`)
  await page.find('a').trigger('click')
  expect(page.emitted('wish')).toEqual([[{ kind: 'step', id: 's2' }]])
  await page.setProps({ html: `<p>Second</p>${RUN}` })
  await flushPromises()
  expect(button('Run')).toHaveLength(1)
  expect(page.text()).toContain('Second')
  page.unmount()
})

it('cuts a long text into pieces that together are all of it, in order', () => {
  const long = `<p>${'word '.repeat(100)}</p>`
  const made = parts(`<p>Short.</p>${RUN}<p>a</p><p>b</p>${long}${long}<p>End.</p>`)
  const cut = pieces(made)
  expect(cut.map((piece) => piece.length)).toEqual([2, 3, 1, 1])
  expect(cut[0]![1]).toBe(made.commands[0]!.host)
  expect(cut.at(-1)![0]!.textContent).toBe('End.')
  expect(made.fragment.childNodes).toHaveLength(0)
  expect(pieces(parts(''))).toEqual([])
})

it('draws a text slowly from its top, and says when all of it is there', async () => {
  const texts = ['one', 'two', 'three'].map((word) => `<p>${word}</p>${RUN}`)
  const page = mount(StepBody, {
    props: { html: texts.join(''), ready: true, main: 'main', slowly: true },
    attachTo: document.body,
  })
  await nextTick()
  await nextTick()
  expect(page.text()).toContain('one')
  expect(page.text()).not.toContain('three')
  await until(() => page.emitted('drawn'))
  expect(page.findAll('.guide p').map((one) => one.text())).toEqual(['one', 'two', 'three'])
  expect(page.element.parentElement!.querySelectorAll('[role=group]')).toHaveLength(3)
  page.unmount()
})
