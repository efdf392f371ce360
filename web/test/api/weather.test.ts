import { expect, it } from 'vitest'
import { PATIENCE_MS, WeatherStation } from '@/api/weather'

/** Time that passes when the test says so. */
class Hours {
  now = 0
  private coming: { at: number; then: () => void }[] = []
  after = (ms: number, then: () => void) => {
    const one = { at: this.now + ms, then }
    this.coming.push(one)
    return () => void (this.coming = this.coming.filter((other) => other !== one))
  }
  pass(ms: number): void {
    this.now += ms
    const due = this.coming.filter(({ at }) => at <= this.now)
    this.coming = this.coming.filter(({ at }) => at > this.now)
    due.forEach(({ then }) => then())
  }
}
function begin() {
  const hours = new Hours()
  return { hours, station: new WeatherStation(() => hours.now, hours.after) }
}

it('says that an answer is late, until it is there', () => {
  const { hours, station } = begin()
  const quick = station.leaves()
  const late = station.leaves()
  hours.pass(PATIENCE_MS - 1)
  quick.landed()
  expect(station.now.value).toBe('calm')
  hours.pass(1)
  expect(station.now.value).toBe('slow')
  late.landed()
  expect(station.now.value).toBe('calm')
})

it('does not call late what was asked to wait', () => {
  const { hours, station } = begin()
  station.leaves(10_000)
  hours.pass(PATIENCE_MS + 9_999)
  expect(station.now.value).toBe('calm')
  hours.pass(1)
  expect(station.now.value).toBe('slow')
})

it('does not mention one lost request when the next one lands', () => {
  const { hours, station } = begin()
  station.leaves().failed()
  hours.pass(PATIENCE_MS - 1)
  station.leaves().landed()
  hours.pass(PATIENCE_MS)
  expect(station.now.value).toBe('calm')
})

it('is lost while tries fail, knows since when, and clears with the first answer', () => {
  const { hours, station } = begin()
  hours.pass(500)
  station.leaves().landed()
  hours.pass(100)
  station.leaves().failed()
  hours.pass(PATIENCE_MS / 2)
  station.leaves().failed()
  hours.pass(PATIENCE_MS / 2)
  expect(station.now.value).toBe('lost')
  expect(station.goodAt.value).toBe(500)
  station.leaves().landed()
  expect(station.now.value).toBe('calm')
  expect(station.goodAt.value).toBe(hours.now)
})

it('takes no sign from what a page itself gave up', () => {
  const { hours, station } = begin()
  const left = station.leaves()
  hours.pass(PATIENCE_MS)
  left.dropped()
  expect(station.now.value).toBe('calm')
  hours.pass(PATIENCE_MS)
  expect(station.now.value).toBe('calm')
  expect(station.goodAt.value).toBe(null)
})
