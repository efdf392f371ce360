import { expect, it } from 'vitest'
import type { Entry } from '@/files/files'
import { indentOf, languageOf } from '@/files/languages'
import { Tree } from '@/files/tree'
import { said, sizeWords } from '@/files/words'
import { Disk } from './disk'

const entry = (name: string, kind: Entry['kind'] = 'file'): Entry => ({
  name, kind, link: false, size: 1, mode: 0o644,
})
function disk(): Disk {
  const made = new Disk()
  made.folders.set('/root', [entry('site', 'folder'), entry('a')])
  made.folders.set('/root/site', [entry('css', 'folder'), entry('index.html')])
  made.folders.set('/root/site/css', [entry('all.css')])
  made.folders.set('/', [entry('root', 'folder'), entry('etc', 'folder')])
  made.folders.set('/etc', [entry('hosts')])
  return made
}
const paths = (tree: Tree) => {
  const all: string[] = []
  const walk = (leaves: Tree['leaves']) =>
    leaves.forEach(({ path, children }) => {
      all.push(path)
      walk(children ?? [])
    })
  walk(tree.leaves)
  return all
}

it('begins at home and reads a folder when it is opened', async () => {
  const tree = new Tree(disk(), 'lab')
  await tree.goTo(null)
  expect([tree.root.value, paths(tree)]).toEqual(['/root', ['/root/site', '/root/a']])
  await tree.expand('/root/site')
  expect(paths(tree)).toEqual(
    ['/root/site', '/root/site/css', '/root/site/index.html', '/root/a'],
  )
})

it('goes up to the top and no further', async () => {
  const tree = new Tree(disk(), 'lab')
  await tree.goTo(null)
  await tree.up()
  expect(paths(tree)).toEqual(['/root', '/etc'])
  await tree.up()
  expect(tree.root.value).toBe('/')
})

it('brings a file into sight, inside or elsewhere', async () => {
  const tree = new Tree(disk(), 'lab')
  await tree.goTo(null)
  await tree.reveal('/root/site/css/all.css')
  expect(paths(tree)).toContain('/root/site/css/all.css')
  expect(tree.root.value).toBe('/root')
  await tree.reveal('/etc/hosts')
  expect([tree.root.value, paths(tree)]).toEqual(['/etc', ['/etc/hosts']])
  await tree.goTo('/')
  await tree.reveal('/etc/hosts')
  expect([tree.root.value, paths(tree)]).toEqual(['/', ['/root', '/etc', '/etc/hosts']])
})

it('goes where it was sent last, whichever answer comes first', async () => {
  const made = disk()
  const tree = new Tree(made, 'lab')
  const home = tree.goTo(null)
  made.wait()
  const elsewhere = tree.goTo('/etc')
  await home
  expect(tree.root.value).toBe('')
  made.go()
  await elsewhere
  expect(tree.root.value).toBe('/etc')
})

it('sees what was made meanwhile, and lets go of folders that are gone', async () => {
  const made = disk()
  const tree = new Tree(made, 'lab')
  await tree.goTo(null)
  await tree.expand('/root/site')
  made.folders.set('/root', [entry('new')])
  made.folders.delete('/root/site')
  await tree.refresh()
  expect([paths(tree), tree.expanded.value]).toEqual([['/root/new'], []])
})

it('says what is wrong and stays where it is', async () => {
  const tree = new Tree(disk(), 'lab')
  await tree.goTo(null)
  await tree.goTo('/none')
  expect([tree.root.value, tree.problem.value?.kind]).toEqual(['/root', 'missing'])
})

it.each([
  ['/a/compose.YAML', '', 'yaml'],
  ['/a/Dockerfile', '', 'dockerfile'],
  ['/etc/nginx/sites-enabled/default', '', 'nginx'],
  ['/root/.bashrc', '', 'shell'],
  ['/a/run', '#!/usr/bin/env python3\n', 'python'],
  ['/a/run', '#!/bin/bash\n', 'shell'],
  ['/a/run', 'echo', null],
  ['/a/css', '', null],
  ['/a/x.tar.gz', '', null],
])('knows the language of %s', (path, beginning, language) => {
  expect(languageOf(path, beginning)).toBe(language)
})

it.each([
  ['def f():\n    pass\n', '    '], ['a:\n  b: 1\n', '  '], ['x:\n\tgo\n', '\t'], ['x', '    '],
])('indents as %j does', (text, unit) => {
  expect(indentOf(text, 'python')).toBe(unit)
})

it('has words for every problem and for sizes', () => {
  expect(said('problem', 'mv: odd')).toBe('It did not work: mv: odd')
  expect(said('denied')).toBe('Your user in the lab may not do this.')
  expect([1, 999, 1000, 524_288, 1_540_000].map(sizeWords)).toEqual(
    ['1 byte', '999 bytes', '1 KB', '524 KB', '1.5 MB'],
  )
})
