import { expect, it } from 'vitest'
import { estimate, progress, stages } from '@/workspace/phases'
import { view } from '../views'

const states = (...given: Parameters<typeof stages>) =>
  stages(...given).map(({ state }) => state)
const machine = (state: string, name = 'lab') => ({ name, state })

it('tells the stages from what the machines are, never ahead of them', () => {
  const at = (phase: 'queued' | 'starting' | 'ready', state?: string) =>
    states(view({ phase, machines: state ? [machine(state)] : [] }), false)
  expect(at('queued')).toEqual(['now', 'later', 'later', 'later'])
  expect(at('starting')).toEqual(['done', 'now', 'later', 'later'])
  expect(at('starting', 'asked')).toEqual(['done', 'now', 'later', 'later'])
  expect(at('starting', 'running')).toEqual(['done', 'done', 'now', 'later'])
  expect(at('starting', 'usable')).toEqual(['done', 'done', 'done', 'now'])
  expect(at('ready', 'usable')).toEqual(['done', 'done', 'done', 'now'])
  expect(states(view(), true)).toEqual(['done', 'done', 'done', 'done'])
})

it('waits for the last of several machines and counts them', () => {
  const two = view({ phase: 'starting', machines: [machine('usable'), machine('asked', 'b')] })
  expect(states(two, false)).toEqual(['done', 'now', 'later', 'later'])
  expect(stages(two, false)[1]!.count).toEqual({ done: 1, of: 2 })
})

it('estimates honestly, and says when it is late', () => {
  const at = (passed: number, usual = 10) =>
    estimate(view({ asked_at: 0, seconds_expected: usual }), passed * 1000)
  expect(at(3)).toEqual({ kind: 'left', seconds: 7 })
  expect(at(9)).toEqual({ kind: 'soon' })
  expect(at(12)).toEqual({ kind: 'soon' })
  expect(at(16)).toEqual({ kind: 'late', seconds: 16, usual: 10 })
  expect(at(1, 0.2)).toEqual({ kind: 'soon' })
  expect(at(4, 0.2)).toEqual({ kind: 'late', seconds: 4, usual: 1 })
})

it('fills the bar as time passes, never goes back and is full only when ready', () => {
  const at = (s: number) =>
    progress(view({ phase: 'starting', asked_at: 0, seconds_expected: 10 }), s * 1000)
  const parts = [0, 2, 5, 8, 10, 20, 60].map(at)
  expect(parts[2]).toBe(0.5)
  expect([...parts].sort((a, b) => a - b)).toEqual(parts)
  expect(parts.at(-1)).toBeLessThanOrEqual(1)
  expect(at(12)).toBeLessThan(0.95)
  expect(progress(view(), 0)).toBe(1)
})
