import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { effectScope, nextTick, shallowRef, type EffectScope } from 'vue'
import { view } from '../views'

let made = 0
let dialled = 0
let worlds: unknown[] = []
let broken = false
let scope: EffectScope
let lost: number
const count = () => (lost += 1)

beforeEach(() => {
  vi.resetModules()
  vi.doMock('@/terminal/line', () => ({
    TerminalSession: class {
      link = { start: () => undefined }
      constructor() {
        if (broken) throw new Error('no screen')
        made += 1
      }
      dispose() {}
    },
    browserWorld: (...asked: unknown[]) => worlds.push(asked[2]),
  }))
  vi.doMock('@/terminal/ahead', () => ({ dialAhead: () => `line ${(dialled += 1)}` }))
  made = lost = dialled = 0
  broken = false
  worlds = []
  window.addEventListener('vite:preloadError', count)
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  window.removeEventListener('vite:preloadError', count)
  vi.doUnmock('@/terminal/ahead')
  vi.doUnmock('@/terminal/line')
  vi.resetModules()
})

it('says when a terminal could not be made, and tries again when it is wanted again', async () => {
  const { useTerminals } = await import('@/workspace/terminals')
  const sandbox = view({ terminals: [{ name: 'main', machine: 'lab' }] })
  const terminals = scope.run(() => useTerminals({ classId: 'c', lab: 'l' }, () => sandbox))!
  broken = true
  await Promise.all([terminals.open('main'), terminals.open('main')])
  expect([lost, terminals.sessions.size]).toEqual([1, 0])
  broken = false
  await terminals.open('main')
  await terminals.open('main')
  expect([lost, made, terminals.sessions.size]).toEqual([1, 1, 1])
})

it('dials while the scripts of a terminal come, for the first of a ready lab alone', async () => {
  const { useTerminals } = await import('@/workspace/terminals')
  const here = shallowRef(view({ phase: 'starting' }))
  const terminals = scope.run(() => useTerminals({ classId: 'c', lab: 'l' }, () => here.value))!
  await nextTick()
  expect(dialled).toBe(0)
  here.value = view({ phase: 'ready' })
  await nextTick()
  here.value = view({ phase: 'ready', extensions_left: 1 })
  await nextTick()
  expect(dialled).toBe(1)
  await terminals.open('main')
  await terminals.open('db')
  expect([worlds, dialled]).toEqual([['line 1', undefined], 1])
})
