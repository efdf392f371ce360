import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { patiently } from '@/api/patience'
import { ApiProblem } from '@/api/problem'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())
const busy = () => new ApiProblem(503, { title: 'busy' })
const chance = () => 1

/** Fails so often, then answers. */
function failing(times: number, problem: () => unknown = busy) {
  return vi.fn(async () => {
    times -= 1
    if (times >= 0) throw problem()
    return 'here'
  })
}

it('asks again what passes, and tells of each failure', async () => {
  const ask = failing(3)
  const failed = vi.fn()
  const asked = patiently(ask, { chance, failed })
  await vi.runAllTimersAsync()
  expect(await asked).toBe('here')
  expect([ask.mock.calls.length, failed.mock.calls.length]).toEqual([4, 3])
})

it('does not ask again what will stay as it is', async () => {
  const ask = failing(1, () => new ApiProblem(404, { title: 'No class has this code.' }))
  await expect(patiently(ask, { chance })).rejects.toThrow('No class has this code.')
  expect(ask).toHaveBeenCalledTimes(1)
})

it('gives up at last, with the last problem', async () => {
  const ask = failing(99)
  const asked = patiently(ask, { chance }).catch((error: unknown) => error)
  await vi.runAllTimersAsync()
  expect(await asked).toMatchObject({ status: 503 })
  expect(ask).toHaveBeenCalledTimes(5)
})

it('stops at once when nobody waits any more', async () => {
  const leaving = new AbortController()
  const ask = failing(99)
  const asked = patiently(ask, { chance, signal: leaving.signal }).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(0)
  leaving.abort(new Error('left'))
  expect(await asked).toMatchObject({ message: 'left' })
  expect([ask.mock.calls.length, vi.getTimerCount()]).toEqual([1, 0])
})
