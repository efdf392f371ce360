import { expect, it } from 'vitest'
import { estimate, goodBudget } from '@/pages/setup/estimate'
import { bodyOf, budgetOf, changeOf, faultsOf, formOf, newForm } from '@/pages/setup/form'
import { peopleOf, readRoster, rosterText } from '@/pages/setup/roster'
import { fromField, toField, usualTimes } from '@/pages/setup/times'
import { MINUTE, NOW, setupOf } from './class'

const people = (text: string) => peopleOf(readRoster(text)).map(({ name, email }) => [name, email])

it.each([
  ['a comma', 'Asha Rao,asha@x.org'],
  ['a semicolon and a header', 'Name;E-Mail\nAsha Rao;asha@x.org'],
  ['a tab, columns swapped', 'email\tname\nasha@x.org\tAsha Rao'],
  ['first and last name', 'Vorname,Nachname,E-Mail-Adresse\r\nAsha,Rao,asha@x.org\r\n'],
  ['an address in angle brackets', '  Asha Rao <asha@x.org>'],
  ['the email first', 'asha@x.org, Asha Rao'],
  ['a byte order mark and a column more', '\uFEFFname,group,email\nAsha Rao,B2,asha@x.org'],
])('reads people parted by %s', (_how, text) => {
  expect(people(text)).toEqual([['Asha Rao', 'asha@x.org']])
})

it('takes a list of names alone', () => {
  expect(people('Asha Rao\n\n Yusuf Demir \n')).toEqual([['Asha Rao', null], ['Yusuf Demir', null]])
})

it('reads quoted fields with separators and quotes in them', () => {
  const text = 'name,email\n"Rao, Asha ""Ash""",asha@x.org'
  expect(people(text)).toEqual([['Rao, Asha "Ash"', 'asha@x.org']])
})

it('parts a line with an address by a sign of its own, but no name', () => {
  const text = 'Name;E-Mail\nAsha;asha@x.org\nCem,cem@x.org\nRao, Ash\nDana\td@x.org'
  expect(people(text)).toEqual([
    ['Asha', 'asha@x.org'], ['Cem', 'cem@x.org'], ['Rao, Ash', null], ['Dana', 'd@x.org'],
  ])
})

it('says on which line what is wrong, and leaves that line out', () => {
  const text = 'name,email\nAsha,asha@x.org\n,b@x.org\nCem,cem@\nASHA R,Asha@X.org\n'
  const { lines, good, bad, header } = readRoster(text)
  expect({ good, bad, header }).toEqual({ good: 1, bad: 3, header: true })
  expect(lines.map(({ line, trouble, sameAs }) => [line, trouble, sameAs])).toEqual([
    [2, null, null], [3, 'no_name', null], [4, 'bad_email', null], [5, 'twice', 2],
  ])
})

it('finds what the server would refuse: two of one name, and a name too long', () => {
  const text = `Ann Lee,a@x.org\nann  LEE,b@x.org\n${'n'.repeat(61)}\n${'n'.repeat(60)}`
  const { lines } = readRoster(text)
  expect(lines.map(({ trouble, sameAs }) => [trouble, sameAs])).toEqual([
    [null, null], ['twice', 1], ['long', null], [null, null],
  ])
})

it('writes a list that is read as it was', () => {
  const list = [{ name: 'Rao, "Ash"', email: null }, { name: 'Cem', email: 'c@x.org' }]
  expect(peopleOf(readRoster(rosterText(list)))).toEqual(list)
})

it('knows an unreadable budget from none, and a comma from a thousand', () => {
  const said = ['', '12,50', ' 25 ', 'ten', '1.5.2', '-3'].map(budgetOf)
  expect(said).toEqual([null, 12_500_000, 25_000_000, undefined, undefined, undefined])
})

it('finds every fault of a form, and none in a good one', () => {
  const form = newForm(NOW)
  expect(Object.keys(faultsOf(form))).toEqual(['title', 'labs'])
  const bad = { ...form, opens: '', seats: '0', budget: 'x' }
  expect(faultsOf(bad)).toMatchObject({
    opens: 'setup.times.missing', seats: 'setup.seats.wrong', budget: 'setup.budget.wrong',
  })
  expect(faultsOf({ ...form, closes: form.opens }).closes).toBe('setup.times.wrong')
  const good = { ...form, title: ' Evening ', labs: ['web'], budget: '12' }
  expect(faultsOf(good)).toEqual({})
  const body = bodyOf(good, 'k'.repeat(28), [])
  expect(body).toMatchObject({ title: 'Evening', budget_micros: 12_000_000, seats: 30 })
  expect(body.closes_at).toBeGreaterThan(body.opens_at)
})

it('sends times only when they were changed, and takes the limit away when it is empty', () => {
  const before = setupOf({ opens_at: NOW, closes_at: NOW + 90 * MINUTE })
  const form = formOf(before)
  const same = changeOf(form, before)
  expect(same).toMatchObject({ version: 3, budget_micros: 12_000_000, no_budget: false })
  expect(same).not.toHaveProperty('opens_at')
  const later = toField(NOW + 120 * MINUTE)
  const changed = changeOf({ ...form, closes: later, budget: '' }, before)
  expect(changed).toMatchObject({ closes_at: fromField(later), no_budget: true })
})

it('opens at once and closes on a half hour some hours later, in local time', () => {
  const { opens, closes } = usualTimes(NOW)
  expect(NOW - opens).toBeLessThan(5 * MINUTE)
  expect(closes % (30 * MINUTE)).toBe(0)
  expect(closes - opens).toBeGreaterThanOrEqual(240 * MINUTE)
  expect(fromField(toField(opens))).toBe(opens)
})

it('estimates labs times seats times price, for as long as they run', () => {
  const lab = {
    name: 'web', title: '', summary: '', minutes: 30, steps: 3, machines: 1, hue: 0, motif: '',
    lifetime_minutes: 60, micros_per_hour: 200_000,
  }
  expect(estimate([lab, lab], 10)).toEqual({ usual: 2_000_000, most: 4_000_000 })
  expect(goodBudget({ usual: 2_000_000, most: 4_000_000 })).toBe(3)
})
