import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import { view } from '../views'

let made = 0
let broken = true
let scope: EffectScope
let lost: number
const count = () => (lost += 1)

beforeEach(() => {
  vi.resetModules()
  vi.doMock('@/terminal/session', () => ({
    TerminalSession: class {
      link = { start: () => undefined }
      constructor() {
        if (broken) throw new Error('no screen')
        made += 1
      }
      dispose() {}
    },
  }))
  made = lost = 0
  window.addEventListener('vite:preloadError', count)
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  window.removeEventListener('vite:preloadError', count)
  vi.doUnmock('@/terminal/session')
  vi.resetModules()
})

it('says when a terminal could not be made, and tries again when it is wanted again', async () => {
  const { useTerminals } = await import('@/workspace/terminals')
  const sandbox = view({ terminals: [{ name: 'main', machine: 'lab' }] })
  const terminals = scope.run(() => useTerminals({ classId: 'c', lab: 'l' }, () => sandbox))!
  await Promise.all([terminals.open('main'), terminals.open('main')])
  expect([lost, terminals.sessions.size]).toEqual([1, 0])
  broken = false
  await terminals.open('main')
  await terminals.open('main')
  expect([lost, made, terminals.sessions.size]).toEqual([1, 1, 1])
})
