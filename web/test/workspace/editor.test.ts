import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, expect, it } from 'vitest'
import { nextTick } from 'vue'
import type { Doc } from '@/files/documents'
import { EditorSession } from '@/files/session'
import EditorPane from '@/workspace/EditorPane.vue'
import { forgetWishes, openFile } from '@/workspace/opening'
import { Disk, Drawer, versionOf } from '../files/disk'
import { settle, Socket, Time } from '../terminal/world'
import { until } from '../until'

/** An agent at the other end of the socket, with a disk. */
class Agent extends Socket {
  constructor(readonly disk: Disk) {
    super()
  }
  override send(data: Parameters<WebSocket['send']>[0]): void {
    super.send(data)
    void this.answer(JSON.parse(String(data)))
  }
  private async answer(request: Record<string, string>): Promise<void> {
    const { id, op, machine = '', path = '' } = request
    const text = Buffer.from(request.data ?? '', 'base64').toString()
    if (request.ticket) return this.says('{"type": "hello", "machines": ["lab", "db"]}')
    try {
      if (op === 'list') this.ok(id, await this.disk.list(machine, request.path ?? null))
      else if (op === 'read') this.ok(id, await this.file(machine, path))
      else if (op === 'write') {
        const expected = request.version === 'any' ? null : (request.version ?? null)
        this.ok(id, { version: await this.disk.write(machine, path, text, expected) })
      } else this.ok(id, {})
    } catch (error) {
      const { kind, message } = error as { kind: string; message: string }
      this.says(JSON.stringify({ id, ok: false, kind, problem: message }))
    }
  }
  private async file(machine: string, path: string): Promise<object> {
    const found = await this.disk.read(machine, path)
    if (found.kind !== 'text') return { size: found.size, [found.kind]: true }
    const data = Buffer.from(found.text).toString('base64')
    return { data, version: versionOf(found.text), writable: found.writable, size: data.length }
  }
  private ok(id: unknown, more: object): void {
    this.says(JSON.stringify({ id, ok: true, ...more }))
  }
}

let page: VueWrapper
let session: EditorSession
async function editor(texts: Record<string, string>) {
  const disk = new Disk(texts)
  const entry = { link: false, size: 1, mode: 0o644 }
  disk.folders.set('/root', [
    { name: 'site', kind: 'folder', ...entry }, { name: 'a.txt', kind: 'file', ...entry },
  ])
  disk.folders.set('/root/site', [{ name: 'b.txt', kind: 'file', ...entry }])
  const time = new Time()
  const world = {
    ticket: async () => ({ ticket: 't', url: 'ws://x' }),
    socket: () => {
      const agent = new Agent(disk)
      void settle().then(() => agent.opens())
      return agent
    },
    now: () => time.now,
    after: time.after,
    chance: () => 0.5,
  }
  session = new EditorSession('s1', ['lab', 'db'], world, new Drawer())
  page = mount(EditorPane, { props: { session, shown: true }, attachTo: document.body })
  await until(() => page.findAll('[role=treeitem]').length === 2)
  return { disk, time }
}
afterEach(() => {
  page.unmount()
  session.dispose()
  forgetWishes()
})
const leaf = (name: string) =>
  page.findAll('[role=treeitem]').find((one) => one.text() === name)!
const button = (text: string) => page.findAll('button').find((one) => one.text() === text)!
async function show(name: string): Promise<Doc> {
  await leaf(name).trigger('click')
  await until(() => session.documents.current.value?.state === 'ready')
  await nextTick()
  return session.documents.current.value as Doc
}

it('opens a file of the tree and saves what was changed', async () => {
  const { disk } = await editor({ '/root/a.txt': 'one' })
  const doc = await show('a.txt')
  expect(page.find('.cm-content').text()).toBe('one')
  expect(page.find('.cm-content').attributes('aria-label')).toContain('/root/a.txt')
  expect(page.find('.status').text()).toBe('Saved')
  session.documents.edit(doc, 'two')
  await nextTick()
  expect(page.find('.status').text()).toBe('Unsaved')
  await page.find('section').trigger('keydown', { key: 's', ctrlKey: true })
  await until(() => page.find('.status').text() === 'Saved')
  expect(disk.texts.get('/root/a.txt')).toBe('two')
})

it('asks before it drops what is not saved', async () => {
  await editor({ '/root/a.txt': 'one' })
  const doc = await show('a.txt')
  session.documents.edit(doc, 'two')
  await nextTick()
  await page.find('[aria-label="Close a.txt"]').trigger('click')
  expect(page.find('.leave').text()).toContain('a.txt has changes that are not saved.')
  await button('Keep open').trigger('click')
  expect(session.documents.open).toHaveLength(1)
  await page.find('[aria-label="Close a.txt"]').trigger('click')
  await button('Close without saving').trigger('click')
  expect(session.documents.open).toHaveLength(0)
})

it('lets the student choose when the shell changed the file', async () => {
  const { disk } = await editor({ '/root/a.txt': 'one' })
  const doc = await show('a.txt')
  session.documents.edit(doc, 'mine')
  disk.texts.set('/root/a.txt', 'theirs')
  await button('Save').trigger('click')
  await until(() => page.find('[role=alert]').exists())
  expect(page.find('[role=alert]').text()).toContain('was changed in the lab')
  await button('Show the new one').trigger('click')
  await until(() => page.find('.cm-content').text() === 'theirs')
  expect(page.find('[role=alert]').exists()).toBe(false)
})

it('grants a wish of the guide once', async () => {
  await editor({ '/root/a.txt': 'one', '/root/site/b.txt': 'l1\nl2\nl3' })
  openFile({ machine: 'lab', path: '/root/site/b.txt', line: 2 })
  await until(() => page.find('.cm-wished').exists())
  expect(page.find('.cm-wished').text()).toBe('l2')
  expect(leaf('b.txt').exists()).toBe(true)
  session.documents.close(session.documents.open[0]!)
  page.unmount()
  page = mount(EditorPane, { props: { session, shown: true }, attachTo: document.body })
  await flushPromises()
  expect(session.documents.open).toHaveLength(0)
})

it('makes a new file where the tree is, and says what is wrong with a name', async () => {
  const { disk } = await editor({ '/root/a.txt': 'one' })
  await page.find('[aria-label="New file"]').trigger('click')
  const name = page.find<HTMLInputElement>('#file-name')
  await name.setValue('a.txt')
  await page.find('form').trigger('submit')
  await until(() => page.text().includes('Something of this name is there already.'))
  await name.setValue('new.sh')
  await page.find('form').trigger('submit')
  await until(() => session.documents.current.value?.path === '/root/new.sh')
  expect(disk.texts.get('/root/new.sh')).toBe('')
})

it('says that a file is no text instead of showing it', async () => {
  await editor({ '/root/a.txt': 'a\0b' })
  await leaf('a.txt').trigger('click')
  await until(() => page.find('.empty').text().includes('not text'))
  expect(page.find('.cm-content').exists()).toBe(false)
})

it('turns to another machine', async () => {
  await editor({ '/root/a.txt': 'one' })
  await page.find('select').setValue('db')
  await until(() => session.tree.root.value === '/root' && session.tree.machine === 'db')
  expect(await show('a.txt')).toMatchObject({ machine: 'db' })
})
