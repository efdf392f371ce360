import { describe, expect, it } from 'vitest'
import { withControl } from '@/terminal/latch'
import { mayAccelerate } from '@/terminal/webgl'
import { nextShell, besideWhich, keepShells, keptShells, shellTitle } from '@/workspace/shells'
import { entryAt, pathOf } from '@/workspace/preview'
import { placeOf } from '@/workspace/shortcuts'
import { Drawer } from '../files/disk'

describe('the held control key', () => {
  it.each([
    ['c', '\x03'], ['C', '\x03'], ['d', '\x04'], ['z', '\x1a'], ['[', '\x1b'], [' ', '\0'],
    ['\x1b[D', '\x1b[1;5D'], ['\x1bOA', '\x1b[1;5A'], ['/', '\x1f'],
    ['1', '1'], ['ü', 'ü'], ['ls -l', 'ls -l'], ['\r', '\r'],
  ])('makes %j to %j', (typed, sent) => {
    expect(withControl(typed)).toBe(sent)
  })
})

describe('the graphics card', () => {
  const CHROME = 'Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140 Safari/537.36'
  const SAFARI = 'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/18 Safari/605.1.15'
  const IPAD_CHROME = 'Mozilla/5.0 (iPad) AppleWebKit/605.1.15 CriOS/140 Mobile Safari/604.1'
  const FIREFOX = 'Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/143.0'
  it.each([
    [CHROME, 'ANGLE (NVIDIA, RTX)', true],
    [FIREFOX, 'Mesa Intel(R) UHD', true],
    [SAFARI, 'Apple GPU', false],
    [IPAD_CHROME, 'Apple GPU', false],
    [CHROME, null, false],
    [CHROME, 'ANGLE (Google, Vulkan (SwiftShader Device))', false],
    [FIREFOX, 'llvmpipe (LLVM 15)', false],
  ])('draws in %s with %s: %s', (agent, card, may) => {
    expect(mayAccelerate(agent, card)).toBe(may)
  })
})

describe('further shells', () => {
  it('are numbered from two, the free number first, and not too many', () => {
    expect(nextShell('main', [])).toBe('main~2')
    expect(nextShell('main', ['main~2', 'main~4'])).toBe('main~3')
    expect(nextShell('main', ['a~2', 'b~2', 'c~2', 'd~2', 'e~2'])).toBe(null)
  })

  it('have a name for people, and a terminal they are beside', () => {
    expect([shellTitle('main~2'), besideWhich('main~2'), besideWhich('main')]).toEqual(
      ['main 2', 'main', 'main'],
    )
  })

  it('survive a reload, each sandbox for itself', () => {
    const store = new Drawer()
    keepShells(store, 's1', ['main~2'])
    expect([keptShells(store, 's1'), keptShells(store, 's2'), keptShells(null, 's1')]).toEqual(
      [['main~2'], [], []],
    )
    store.setItem('brihaspati.shells.s1', '{')
    expect(keptShells(store, 's1')).toEqual([])
  })
})

it.each([
  ['', '/'], ['/', '/'], ['items?x=1', '/items?x=1'], ['//evil.example/x', '/evil.example/x'],
  ['http://p8080--s.localhost:8000/a?b#c', '/a?b#c'], [' /a b ', '/a b'], ['\\\\x', '/x'],
])('reads the path %j as %j', (typed, path) => {
  expect(pathOf(typed)).toBe(path)
})

it('goes to a path by way of the ticket', () => {
  const url = 'http://p80--s.localhost/_brihaspati/open?ticket=abc'
  expect(entryAt(url, '/')).toBe(url)
  expect(new URL(entryAt(url, '/a?b=1')).searchParams.get('to')).toBe('/a?b=1')
  expect(new URL(entryAt(url, '/a?b=1')).searchParams.get('ticket')).toBe('abc')
})

describe('shortcuts', () => {
  const key = (code: string, over: KeyboardEventInit = {}) =>
    Object.assign(new KeyboardEvent('keydown', { code, ctrlKey: true, altKey: true, ...over }), {
      getModifierState: () => false,
    })
  it('name a tab or the guide', () => {
    expect(placeOf(key('Digit2'))).toEqual({ kind: 'tab', number: 2 })
    expect(placeOf(key('Numpad9'))).toEqual({ kind: 'tab', number: 9 })
    expect(placeOf(key('KeyG'))).toEqual({ kind: 'guide' })
  })
  it('leave everything else to the terminal', () => {
    expect(placeOf(key('Digit0'))).toBe(null)
    expect(placeOf(key('KeyC'))).toBe(null)
    expect(placeOf(key('Digit2', { altKey: false }))).toBe(null)
    expect(placeOf(key('Digit2', { ctrlKey: false }))).toBe(null)
    const typing = Object.assign(key('Digit2'), { getModifierState: () => true })
    expect(placeOf(typing)).toBe(null) // AltGr types a character
  })
})
