/** What the board says about each student and about the class; pure, so that it can be tested. */
import type { Board, BoardLab, BoardStudent, ClassLab } from '@/api/types'
import { locale } from '@/i18n'

export type StudentState =
  'hand' | 'stuck' | 'broken' | 'idle' | 'working' | 'starting' | 'finished' | 'away'
export type Group = 'all' | 'need' | 'working' | 'finished' | 'idle' | 'away'
export const GROUPS: readonly Group[] = ['all', 'need', 'working', 'finished', 'idle', 'away']

const GROUP_OF: Record<StudentState, Exclude<Group, 'all'>> = {
  hand: 'need',
  stuck: 'need',
  broken: 'need',
  idle: 'idle',
  working: 'working',
  starting: 'working',
  finished: 'finished',
  away: 'away',
}
const ORDER = ['need', 'idle', 'working', 'finished', 'away']
/** Without a key press for this long somebody is called idle; help is due a little later. */
const IDLE_MS = 4 * 60_000

/** One student as the board shows them; `view` is their lab `lab`, `since` when the state began. */
export type Row = {
  key: string
  /** The name in small letters without accents. */
  plain: string
  student: BoardStudent
  lab: string | null
  view: BoardLab | null
  state: StudentState
  group: Exclude<Group, 'all'>
  since: number | null
}

export const isDone = (view: BoardLab | null | undefined) => /^[ps]+$/.test(view?.marks ?? '')
const isBegun = (view: BoardLab | undefined) => !!view && (!!view.phase || /[^.]/.test(view.marks))
export const isRunning = (view: BoardLab | null | undefined) => view?.phase === 'ready'

function stateOf(student: BoardStudent, view: BoardLab | null, now: number): StudentState {
  if (student.id === null) return 'away'
  if (student.need) {
    if (student.need.kind === 'hand' || student.need.kind === 'broken') return student.need.kind
    return 'stuck'
  }
  if (isDone(view)) return 'finished'
  if (view?.phase === 'queued' || view?.phase === 'starting') return 'starting'
  if (!isRunning(view)) return 'idle'
  return now - (view?.input_at ?? now) >= IDLE_MS ? 'idle' : 'working'
}

export function rowOf(student: BoardStudent, now: number): Row {
  const lab = student.need?.lab || student.lab
  const view = (lab && student.labs[lab]) || null
  const state = stateOf(student, view, now)
  const quiet = state === 'idle' && isRunning(view) ? (view?.input_at ?? null) : null
  return {
    key: student.id ?? `expected ${student.name}`,
    plain: plain(student.name),
    student,
    lab,
    view,
    state,
    group: GROUP_OF[state],
    since: student.need?.since ?? quiet,
  }
}

/** Without the accents of Latin letters, which neither search nor order mind. */
const plain = (text: string) => text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase()

/** How names follow each other. Only letters beyond ASCII ask the browser, which takes long. */
function order(rows: readonly Row[]): (a: string, b: string) => number {
  if (rows.some((row) => /[^ -~]/.test(row.plain))) return new Intl.Collator(locale()).compare
  return (a, b) => (a < b ? -1 : Number(a > b))
}

/** Who needs the trainer first and longest; then idle, working, finished, not here. */
export function rowsOf(board: Board | undefined, now: number): Row[] {
  const rows = (board?.students ?? []).map((student) => rowOf(student, now))
  const names = order(rows)
  return rows.sort((a, b) => {
    const group = ORDER.indexOf(a.group) - ORDER.indexOf(b.group)
    const wait = a.group === 'need' ? (a.since ?? now) - (b.since ?? now) : 0
    return group || wait || names(a.plain, b.plain)
  })
}

export function countGroups(rows: readonly Row[]): Record<Group, number> {
  const counts = { all: rows.length, need: 0, working: 0, finished: 0, idle: 0, away: 0 }
  for (const { group } of rows) counts[group] += 1
  return counts
}

/** Those of a group whose name has every word that was searched for; accents do not matter. */
export function pick(rows: readonly Row[], group: Group, search: string): Row[] {
  const words = plain(search).split(/\s+/).filter(Boolean)
  return rows.filter((row) => {
    if (group !== 'all' && row.group !== group) return false
    return words.every((word) => row.plain.includes(word))
  })
}

export type Bar = { id: string; title: string; count: number; stuck: number }
export type Spread = {
  expected: number
  started: number
  finished: number
  /** The step half of those who started have reached; 0: nobody started. */
  middle: number
  bars: Bar[]
}

/** Where the class is in a lab. Who has finished stands on no step. */
export function spreadOf(students: readonly BoardStudent[], lab: ClassLab): Spread {
  const bars = lab.steps.map(({ id, title }) => ({ id, title, count: 0, stuck: 0 }))
  const reached: number[] = []
  let finished = 0
  for (const { labs, need } of students) {
    const view = labs[lab.name]
    if (!view || !isBegun(view)) continue
    reached.push(isDone(view) ? bars.length : Math.max(1, view.step))
    if (isDone(view)) {
      finished += 1
      continue
    }
    const bar = bars[Math.min(bars.length, Math.max(1, view.step)) - 1]
    if (!bar) continue
    bar.count += 1
    if (need?.lab === lab.name) bar.stuck += 1
  }
  reached.sort((a, b) => a - b)
  const middle = reached[Math.floor((reached.length - 1) / 2)] ?? 0
  return { expected: students.length, started: reached.length, finished, middle, bars }
}

/** How many are in each lab now, by its name. */
export function presentIn(students: readonly BoardStudent[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { lab } of students) if (lab) counts.set(lab, (counts.get(lab) ?? 0) + 1)
  return counts
}

/** The lab that most are in now; the first one while nobody is in any. */
export function busiest(students: readonly BoardStudent[], labs: readonly ClassLab[]): string {
  const here = presentIn(students)
  const order = [...labs].sort((a, b) => (here.get(b.name) ?? 0) - (here.get(a.name) ?? 0))
  return order[0]?.name ?? ''
}

export type Mark = 'untouched' | 'seen' | 'failing' | 'passed' | 'solved' | 'here' | 'stuck'
const MARKS: Record<string, Mark> = {
  '.': 'untouched', o: 'seen', x: 'failing', p: 'passed', s: 'solved',
}
/** A mark for each step; the step they are at is `here`, or `stuck` when it fails them. */
export function marksOf(view: BoardLab | null | undefined, steps: number, stuck: boolean): Mark[] {
  return Array.from({ length: steps }, (_, at) => {
    const mark = MARKS[view?.marks[at] ?? '.'] ?? 'untouched'
    if (!view || at !== view.step - 1 || mark === 'passed' || mark === 'solved') return mark
    return stuck || mark === 'failing' ? 'stuck' : 'here'
  })
}
