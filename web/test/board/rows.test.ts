import { afterEach, expect, it, vi } from 'vitest'
import { money } from '@/pages/board/money'
import { busiest, countGroups, marksOf, pick, rowsOf, spreadOf } from '@/pages/board/rows'
import { absent, boardOf, box, MINUTE, NOW, student, WEB } from './class'

const SOME = [
  student('Working'),
  student('Finished', { marks: 'pps', step: 3 }),
  absent('Away'),
  student('Idle', { input_at: NOW - 5 * MINUTE }),
  student('Short', {}, { kind: 'quiet', since: NOW - 2 * MINUTE }),
  student('Long', {}, { kind: 'hand', since: NOW - 9 * MINUTE }),
  student('Starting', { phase: 'starting' }),
]
const rows = rowsOf(boardOf(SOME), NOW)

it('puts those who wait first, the longest of them before the others, the absent last', () => {
  expect(rows.map(({ student: { name } }) => name)).toEqual([
    'Long', 'Short', 'Idle', 'Starting', 'Working', 'Finished', 'Away',
  ])
  expect(rows.map(({ state }) => state)).toEqual([
    'hand', 'stuck', 'idle', 'starting', 'working', 'finished', 'away',
  ])
})

afterEach(() => vi.restoreAllMocks())

const order = (...names: string[]) =>
  rowsOf(boardOf(names.map((name) => student(name))), NOW).map(({ student: { name } }) => name)

it('sorts names of any letters as a register does', () => {
  expect(order('bodo', 'Asha K.', 'Cara', 'asha b')).toEqual(['asha b', 'Asha K.', 'bodo', 'Cara'])
  expect(order('Zoë', 'Émile', 'Dora', 'Özlem')).toEqual(['Dora', 'Émile', 'Özlem', 'Zoë'])
  const north = ['Ægir', 'Lars', 'Łukasz', 'Mia', 'Øystein', 'Pia', 'Zara']
  expect(order(...north.toReversed())).toEqual(north)
  const india = ['Asha', 'अनिल', 'कमल', 'कृष्णा', 'नीता', 'राम']
  expect(order(...india.toReversed())).toEqual(india)
})

it('asks the browser how names follow each other only where letters need it', () => {
  const { Collator } = Intl
  const asked = vi.spyOn(Intl, 'Collator').mockImplementation(function (tag) {
    return new Collator(tag)
  })
  order('Asha', "Siobhán O'Neill-Özil", 'Émile')
  expect(asked).not.toHaveBeenCalled()
  order('Asha', 'Łukasz')
  expect(asked).toHaveBeenCalledOnce()
})

it('finds names of other scripts by all of their signs', () => {
  const some = rowsOf(boardOf([student('नीता'), student('नता')]), NOW)
  expect(pick(some, 'all', 'नीता').map(({ student: { name } }) => name)).toEqual(['नीता'])
})

it('counts groups and filters by group and by name without accents', () => {
  expect(countGroups(rows)).toEqual(
    { all: 7, need: 2, working: 2, finished: 1, idle: 1, away: 1 })
  expect(pick(rows, 'need', '').length).toBe(2)
  expect(pick(rows, 'all', ' SHORT ').map(({ key }) => key)).toEqual(['short'])
  const horvath = rowsOf(boardOf([student('Viktor Horváth')]), NOW)
  expect(pick(horvath, 'all', 'horvath vik')).toHaveLength(1)
  expect(pick(horvath, 'need', 'horvath')).toHaveLength(0)
})

it('calls somebody who was told to wait by a failed lab broken, in the lab that failed', () => {
  const two = student('Two labs', {}, { kind: 'broken', lab: 'shell' })
  two.labs.shell = box({ phase: 'failed', reason: 'No room.' })
  const [row] = rowsOf(boardOf([two]), NOW)
  expect([row?.state, row?.lab, row?.view?.reason]).toEqual(['broken', 'shell', 'No room.'])
})

it('spreads a class over the steps; who has finished stands on none', () => {
  const spread = spreadOf(SOME, WEB)
  expect(spread.bars.map(({ count, stuck }) => [count, stuck])).toEqual([[0, 0], [5, 2], [0, 0]])
  expect(spread).toMatchObject({ expected: 7, started: 6, finished: 1, middle: 2 })
  const nobody = spreadOf([absent('A'), student('B', { phase: null, marks: '...', step: 0 })], WEB)
  expect(nobody).toMatchObject({ started: 0, middle: 0 })
})

it('shows the busiest lab first', () => {
  const other = { ...WEB, name: 'shell' }
  expect(busiest(SOME, [other, WEB])).toBe('web')
  expect(busiest([], [other, WEB])).toBe('shell')
})

it('marks steps; the one they are at is stuck only when it fails them', () => {
  expect(marksOf(box({ marks: 'pox' }), 3, false)).toEqual(['passed', 'here', 'failing'])
  expect(marksOf(box({ marks: 'px.' }), 3, false)).toEqual(['passed', 'stuck', 'untouched'])
  expect(marksOf(box({ marks: 'po.' }), 3, true)).toEqual(['passed', 'stuck', 'untouched'])
  expect(marksOf(null, 2, false)).toEqual(['untouched', 'untouched'])
})

it('writes money as people do', () => {
  const said = [4_390_000, 12_000_000, 0, 3_000].map((micros) => money(micros, 'USD'))
  expect(said).toEqual(['$4.39', '$12', '$0.00', '< $0.01'])
})
