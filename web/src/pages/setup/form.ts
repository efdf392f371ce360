/** The form of a class: what is in it, what is wrong with it, and what is sent. */
import type { ClassBody, ClassChange } from '@/api/classes'
import type { ClassSetup } from '@/api/types'
import type { Key } from '@/i18n'
import { fromField, toField, usualTimes } from './times'

const MILLION = 1_000_000
const SEATS_MOST = 1_000
const SEATS_USUAL = 30

export type Form = {
  title: string
  welcome: string
  labs: string[]
  opens: string
  closes: string
  seats: string
  /** As typed, in whole units; empty: no limit. */
  budget: string
  rosterOnly: boolean
  spill: Place[]
}
/** Where else, as typed: a share in percent, and a price an hour (empty: any). */
export type Place = { provider: string; share: string; price: string }
type Field = 'title' | 'labs' | 'opens' | 'closes' | 'seats' | 'budget' | 'spill'
export type Faults = Partial<Record<Field, Key>>

export function newForm(now: number): Form {
  const { opens, closes } = usualTimes(now)
  return {
    title: '',
    welcome: '',
    labs: [],
    opens: toField(opens),
    closes: toField(closes),
    seats: String(SEATS_USUAL),
    budget: '',
    rosterOnly: false,
    spill: [],
  }
}

export function formOf(setup: ClassSetup): Form {
  return {
    title: setup.title,
    welcome: setup.welcome,
    labs: setup.labs.map(({ name }) => name),
    opens: toField(setup.opens_at),
    closes: toField(setup.closes_at),
    seats: String(setup.seats),
    budget: setup.budget_micros === null ? '' : String(setup.budget_micros / MILLION),
    rosterOnly: setup.roster_only,
    spill: setup.spill.map((one) => ({
      provider: one.provider,
      share: String(one.share_percent),
      price: one.micros_per_hour_max === null ? '' : String(one.micros_per_hour_max / MILLION),
    })),
  }
}

/** Millionths; null: no limit; undefined: no number. A comma is as good as a point. */
export function budgetOf(text: string): number | null | undefined {
  const plain = text.trim().replace(',', '.')
  if (!plain) return null
  return /^\d{1,9}(\.\d{1,6})?$/.test(plain) ? Math.round(Number(plain) * MILLION) : undefined
}

export function seatsOf(text: string): number | null {
  const seats = /^\d+$/.test(text.trim()) ? Number(text) : 0
  return seats >= 1 && seats <= SEATS_MOST ? seats : null
}

export function shareOf(text: string): number | null {
  const share = /^\d{1,3}$/.test(text.trim()) ? Number(text) : 0
  return share >= 1 && share <= 100 ? share : null
}

/** A place whose share or price cannot be. */
export const wrongPlace = ({ share, price }: Place) =>
  shareOf(share) === null || budgetOf(price) === undefined || budgetOf(price) === 0

export function faultsOf(form: Form): Faults {
  const faults: Faults = {}
  const [opens, closes] = [fromField(form.opens), fromField(form.closes)]
  if (!form.title.trim()) faults.title = 'setup.title.missing'
  if (form.labs.length === 0) faults.labs = 'setup.labs.missing'
  if (opens === null) faults.opens = 'setup.times.missing'
  if (closes === null) faults.closes = 'setup.times.missing'
  else if (opens !== null && closes <= opens) faults.closes = 'setup.times.wrong'
  if (seatsOf(form.seats) === null) faults.seats = 'setup.seats.wrong'
  if (budgetOf(form.budget) === undefined) faults.budget = 'setup.budget.wrong'
  if (form.spill.some(wrongPlace)) faults.spill = 'spill.wrong'
  return faults
}

/** Only for a form without faults. */
function values(form: Form) {
  return {
    title: form.title.trim(),
    welcome: form.welcome.trim(),
    labs: form.labs,
    opens_at: fromField(form.opens) ?? 0,
    closes_at: fromField(form.closes) ?? 0,
    seats: seatsOf(form.seats) ?? 1,
    roster_only: form.rosterOnly,
    spill: form.spill.map(({ provider, share, price }) => ({
      provider,
      share_percent: shareOf(share) ?? 100,
      micros_per_hour_max: budgetOf(price) ?? null,
    })),
  }
}

export function bodyOf(form: Form, key: string, people: ClassBody['people']): ClassBody {
  const budget_micros = budgetOf(form.budget) ?? null
  return { ...values(form), key, budget_micros, email_required: false, people }
}

/** Seconds of a date are not in the form: what was not touched is not sent. */
export function changeOf(form: Form, before: ClassSetup): ClassChange {
  const was = formOf(before)
  const { opens_at, closes_at, ...rest } = values(form)
  const budget = budgetOf(form.budget) ?? null
  return {
    ...rest,
    version: before.version,
    ...(form.opens === was.opens ? {} : { opens_at }),
    ...(form.closes === was.closes ? {} : { closes_at }),
    ...(budget === null ? { no_budget: true } : { budget_micros: budget, no_budget: false }),
  }
}
