import { describe, expect, it } from 'vitest'
import { Documents, isDirty, titleOf, type Doc } from '@/files/documents'
import { FilesProblem } from '@/files/link'
import { settle } from '../terminal/world'
import { Disk, Drawer, versionOf } from './disk'

const PATH = '/srv/a.txt'
function desk(disk: Disk, store: Storage = new Drawer(), sandbox = 's1'): Documents {
  return new Documents({ files: disk, store, sandbox, soon: (work) => work() })
}
async function opened(disk: Disk, store?: Storage): Promise<{ all: Documents; doc: Doc }> {
  const all = desk(disk, store)
  const doc = all.show('lab', PATH)
  await settle()
  return { all, doc }
}

describe('opening', () => {
  it('shows what is on the disk, clean', async () => {
    const { all, doc } = await opened(new Disk({ [PATH]: 'one' }))
    expect(doc).toMatchObject({ state: 'ready', text: 'one', version: versionOf('one') })
    expect(isDirty(doc)).toBe(false)
    expect(all.current.value).toBe(doc)
  })

  it('turns to a file that is open already, at the line asked for', async () => {
    const { all, doc } = await opened(new Disk({ [PATH]: 'one', '/b': 'b' }))
    all.show('lab', '/b')
    expect(all.show('lab', PATH, 7)).toBe(doc)
    expect([all.open.length, all.active.value, doc.line]).toEqual([2, doc.key, 7])
  })

  it('tells what is no text and what is not there, and looks again when asked', async () => {
    const disk = new Disk({ [PATH]: 'a\0b' })
    const { all, doc } = await opened(disk)
    expect(doc.state).toBe('binary')
    const other = all.show('lab', '/none')
    await settle()
    expect(other).toMatchObject({ state: 'failed', trouble: 'missing' })
    disk.texts.set('/none', 'now')
    await all.refresh(other)
    expect(other).toMatchObject({ state: 'ready', text: 'now', trouble: null })
  })
})

describe('saving', () => {
  it('writes the text and is clean', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const { all, doc } = await opened(disk)
    all.edit(doc, 'two')
    expect(isDirty(doc)).toBe(true)
    await all.save(doc)
    expect([disk.texts.get(PATH), isDirty(doc), doc.version]).toEqual(
      ['two', false, versionOf('two')],
    )
  })

  it('keeps what was typed while it was being written, unsaved', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const { all, doc } = await opened(disk)
    all.edit(doc, 'two')
    disk.wait()
    const saving = all.save(doc)
    all.edit(doc, 'two and more')
    expect(doc.saving).toBe(true)
    disk.go()
    await saving
    expect([disk.texts.get(PATH), doc.text, isDirty(doc)]).toEqual(['two', 'two and more', true])
  })

  it('does not overwrite what the shell wrote, until told to', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const { all, doc } = await opened(disk)
    all.edit(doc, 'mine')
    disk.texts.set(PATH, 'theirs')
    await all.save(doc)
    expect([disk.texts.get(PATH), doc.trouble, doc.text]).toEqual(['theirs', 'changed', 'mine'])
    await all.save(doc, true)
    expect([disk.texts.get(PATH), doc.trouble, isDirty(doc)]).toEqual(['mine', null, false])
  })

  it('can let go of one’s own text for the new one', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const { all, doc } = await opened(disk)
    all.edit(doc, 'mine')
    disk.texts.set(PATH, 'theirs')
    await all.save(doc)
    const { age } = doc
    await all.takeTheirs(doc)
    expect([doc.text, isDirty(doc), doc.trouble, doc.age > age]).toEqual(
      ['theirs', false, null, true],
    )
  })

  it('says why it was not saved, and keeps the text', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const { all, doc } = await opened(disk)
    all.edit(doc, 'two')
    disk.broken = new FilesProblem('denied', 'no')
    await all.save(doc)
    expect([doc.trouble, doc.words, doc.text, doc.saving]).toEqual(['denied', 'no', 'two', false])
    disk.broken = null
    await all.save(doc)
    expect([doc.trouble, disk.texts.get(PATH)]).toEqual([null, 'two'])
  })
})

describe('when the shell works on the same file', () => {
  it('follows it while there is nothing to lose', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const { all, doc } = await opened(disk)
    disk.texts.set(PATH, 'two')
    await all.refresh(doc)
    expect([doc.text, isDirty(doc), doc.trouble]).toEqual(['two', false, null])
  })

  it('never replaces unsaved text, and says that there is another', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const { all, doc } = await opened(disk)
    all.edit(doc, 'mine')
    disk.texts.set(PATH, 'two')
    await all.refresh(doc)
    expect([doc.text, doc.trouble]).toEqual(['mine', 'changed'])
    disk.texts.set(PATH, 'one')
    await all.refresh(doc)
    expect(doc.trouble).toBe(null)
  })

  it('keeps the text of a file that was deleted, and can write it again', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const { all, doc } = await opened(disk)
    disk.texts.delete(PATH)
    await all.refresh(doc)
    expect([doc.text, doc.trouble, isDirty(doc)]).toEqual(['one', 'missing', true])
    await all.save(doc)
    expect([disk.texts.get(PATH), doc.trouble, isDirty(doc)]).toEqual(['one', null, false])
  })

  it('takes an answer for old news when a save came in between', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const { all, doc } = await opened(disk)
    all.edit(doc, 'two')
    disk.wait()
    const looking = all.refresh(doc)
    const saving = all.save(doc)
    disk.go()
    await Promise.all([looking, saving])
    expect([doc.text, doc.trouble, isDirty(doc)]).toEqual(['two', null, false])
  })

  it('goes along with a new name of the file or its folder', async () => {
    const { all, doc } = await opened(new Disk({ [PATH]: 'one' }))
    all.moved('other', '/srv', '/opt')
    expect(doc.path).toBe(PATH)
    all.moved('lab', '/srv', '/opt')
    expect([doc.path, all.active.value]).toEqual(['/opt/a.txt', doc.key])
    all.moved('lab', '/op', '/x')
    expect(doc.path).toBe('/opt/a.txt')
  })
})

describe('a reload', () => {
  it('brings back open files and unsaved text', async () => {
    const disk = new Disk({ [PATH]: 'one', '/b': 'b' })
    const store = new Drawer()
    const { all, doc } = await opened(disk, store)
    all.show('lab', '/b')
    all.edit(doc, 'unsaved')
    const again = desk(disk, store)
    await settle()
    expect(again.open.map(({ path }) => path)).toEqual([PATH, '/b'])
    expect(again.current.value?.path).toBe('/b')
    expect([again.open[0]?.text, isDirty(again.open[0]!)]).toEqual(['unsaved', true])
    await again.save(again.open[0]!)
    expect(disk.texts.get(PATH)).toBe('unsaved')
  })

  it('tells when the file was changed in between', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const store = new Drawer()
    const { all, doc } = await opened(disk, store)
    all.edit(doc, 'unsaved')
    disk.texts.set(PATH, 'theirs')
    const again = desk(disk, store)
    await settle()
    expect(again.open[0]).toMatchObject({ text: 'unsaved', trouble: 'changed' })
    await again.save(again.open[0]!)
    expect(disk.texts.get(PATH)).toBe('theirs')
  })

  it('brings back text of a file that is gone', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const store = new Drawer()
    const { all, doc } = await opened(disk, store)
    all.edit(doc, 'unsaved')
    disk.texts.delete(PATH)
    const again = desk(disk, store)
    await settle()
    expect(again.open[0]).toMatchObject({ state: 'ready', text: 'unsaved', trouble: 'missing' })
  })

  it('forgets drafts that were saved, closed, or of another sandbox', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const store = new Drawer()
    const { all, doc } = await opened(disk, store)
    all.edit(doc, 'unsaved')
    expect(store.getItem('brihaspati.editor.s1')).toContain('unsaved')
    await all.save(doc)
    expect(store.getItem('brihaspati.editor.s1')).not.toContain('unsaved')
    all.edit(doc, 'more')
    all.close(doc)
    expect(store.getItem('brihaspati.editor.s1')).not.toContain('more')
    desk(disk, store, 's2').keep()
    expect(store.getItem('brihaspati.editor.s1')).toBe(null)
  })

  it('says when a draft does not fit, and still keeps which files are open', async () => {
    const disk = new Disk({ [PATH]: 'one' })
    const store = new Drawer(200)
    const { all, doc } = await opened(disk, store)
    all.edit(doc, 'x'.repeat(500))
    expect(all.kept.value).toBe(false)
    expect(store.getItem('brihaspati.editor.s1')).toContain(PATH)
    all.edit(doc, 'short')
    expect(all.kept.value).toBe(true)
  })

  it('is not disturbed by a spoilt drawer', () => {
    const store = new Drawer()
    store.setItem('brihaspati.editor.s1', '{"open": 7')
    expect(desk(new Disk(), store).open).toEqual([])
  })
})

it('closes what was deleted here, but never what is not saved', async () => {
  const disk = new Disk({ '/a/1': 'one', '/a/2': 'two', '/ab': 'three' })
  const all = desk(disk)
  const docs = ['/a/1', '/a/2', '/ab'].map((path) => all.show('lab', path))
  await settle()
  all.edit(docs[1]!, 'unsaved')
  disk.texts.delete('/a/1')
  disk.texts.delete('/a/2')
  all.removed('lab', '/a')
  await settle()
  expect(all.open.map(({ path, trouble }) => [path, trouble])).toEqual(
    [['/a/2', 'missing'], ['/ab', null]],
  )
})

it('turns to a neighbour when the file on the screen is closed', async () => {
  const all = desk(new Disk({ '/a': '', '/b': '', '/c': '' }))
  const docs = ['/a', '/b', '/c'].map((path) => all.show('lab', path))
  await settle()
  all.active.value = docs[1]!.key
  all.close(docs[1]!)
  expect(all.current.value?.path).toBe('/c')
  all.close(docs[2]!)
  expect(all.current.value?.path).toBe('/a')
  all.close(docs[0]!)
  expect(all.current.value).toBe(null)
})

it('names files of the same name by their folders', () => {
  const named = (machine: string, path: string) => ({ machine, path }) as Doc
  const open = [named('a', '/x/conf'), named('a', '/y/conf'), named('a', '/y/other')]
  expect(open.map((doc) => titleOf(doc, open))).toEqual(['x/conf', 'y/conf', 'other'])
  const twins = [named('a', '/x/conf'), named('b', '/x/conf')]
  expect(twins.map((doc) => titleOf(doc, twins))).toEqual(['a:x/conf', 'b:x/conf'])
})
