/** What a class will cost: labs times seats times price. */
import type { CatalogueLab } from '@/api/types'

const HOUR_MINUTES = 60
export type Estimate = {
  /** Everybody takes as long as each lab says it takes. */
  usual: number
  /** Everybody lets every lab run to its end. */
  most: number
}

/** In millionths of the currency. */
export function estimate(labs: readonly CatalogueLab[], seats: number): Estimate {
  const each = (minutesOf: (lab: CatalogueLab) => number) =>
    Math.round(
      labs.reduce((sum, lab) => sum + (lab.micros_per_hour * minutesOf(lab)) / HOUR_MINUTES, 0) *
        Math.max(0, seats),
    )
  return {
    usual: each(({ minutes, lifetime_minutes }) => Math.min(minutes, lifetime_minutes)),
    most: each(({ lifetime_minutes }) => lifetime_minutes),
  }
}

/** A budget that leaves room, in whole units: half as much again as usual, never under one. */
export function goodBudget({ usual, most }: Estimate): number {
  return Math.max(1, Math.ceil(Math.min(most, usual * 1.5) / 1_000_000))
}
