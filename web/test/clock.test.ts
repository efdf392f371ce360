import { expect, it } from 'vitest'
import { countdown, ServerClock } from '@/clock'

function clockAt(start: number) {
  const time = { wall: start }
  return { time, clock: new ServerClock(() => time.wall) }
}

it('corrects a wrong wall clock, taking half the round trip into account', () => {
  const { time, clock } = clockAt(1_000)
  clock.note(50_000, 900, 1_100)
  expect(clock.now()).toBe(50_000)
  time.wall = 3_000
  expect(clock.now()).toBe(52_000)
})

it('trusts the answer with the shortest trip', () => {
  const { clock } = clockAt(1_000)
  clock.note(10_000, 990, 1_010)
  clock.note(10_900, 0, 2_000) // slow: off by up to a second
  expect(clock.now()).toBe(10_000)
})

it('believes a slower answer when the wall clock has jumped', () => {
  const { time, clock } = clockAt(1_000)
  clock.note(10_000, 990, 1_010)
  time.wall = 40_000 // half a minute in one second
  clock.note(11_000, 39_800, 40_000)
  expect(clock.now()).toBe(11_100)
})

it('believes a newer answer after a minute', () => {
  const { time, clock } = clockAt(1_000)
  clock.note(10_000, 1_000, 1_000)
  time.wall = 70_000
  clock.note(79_500, 69_900, 70_000)
  expect(clock.now()).toBe(79_550)
})

it('writes countdowns as people read them', () => {
  expect(countdown(42 * 60_000 + 18_000)).toBe('42:18')
  expect(countdown(3_729_000)).toBe('1:02:09')
  expect(countdown(500)).toBe('00:01')
  expect(countdown(-5)).toBe('00:00')
})
