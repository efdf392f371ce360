/**
 * The trainer's side of the pretend API: thirty lively students, a class to change, a catalogue.
 * `boardAnswer` gives null where an address is not its own. The students move while one looks.
 */
import type { components } from '../src/api/schema'

type S = components['schemas']
type Reply = { status: number; body?: unknown; kind?: string }
const MINUTE = 60_000
const begun = Date.now() - 24 * MINUTE

const NAMES = ['Priya Venkatesh', 'Yusuf Demir', 'Chiamaka Obi', 'Hugo Lindqvist',
  'Oleksandr Bondar', 'Samir Chaudhry', 'Farid Haddad', 'Mateus Carvalho', 'Wren Gallagher',
  'Asha Raghunathan', 'Diego Fuentes', 'Jonas Petersen', 'Nadia Rahmani', 'Uma Krishnan',
  'Arjun Malhotra', 'Cheng Wu', 'Benedikt Vogel', 'Grace Nakamura', 'Liam O’Connor', 'Qiao Lin',
  'Ximena Rojas', 'Imani Wanjiru', 'Tove Berglund', 'Viktor Horváth', 'Zeynep Kaya', 'Ravi Iyer',
  'Sofia Marino', 'Kwame Mensah', 'Elif Yıldız', 'Noah Weber']
const LINES = ['docker ps -a', 'docker rm -f db', 'ls -la /var/lib/docker', 'docker volume ls',
  'docker run -d --name db -v pgdata:/data postgres:17', 'cat backup.tar | head -c 80',
  'psql -c "select * from guests"', 'docker compose up -d', 'docker inspect pgdata']
const STEPS = ['Meet the container', 'Lose the data', 'Create a volume', 'Mount it',
  'Survive a restart', 'Back it up', 'Clean up']

type Lab = S['ClassLab']
function lab(name: string, title: string, hue: number, motif: string, steps: string[]): Lab {
  return { name, title, hue, motif, minutes: 50, terminals: ['main', 'logs'],
    steps: steps.map((step, at) => ({ id: `s${at + 1}`, title: step })) }
}
const VOLUMES = lab('volumes', 'Volumes: keep your data safe', 285, 'database', STEPS)
const SHELL = lab('shell', 'Find your way in the shell', 70, 'shell', STEPS.slice(0, 6))
const WEB = lab('web', 'HTTP by hand', 200, 'web', STEPS.slice(1))
const several = process.env.FAKE_LABS === 'several'

export const setup: S['ClassSetup'] = {
  id: 'c1', version: 3, title: 'DevOps Foundations', instructor: 'Prof. Meera Iyer',
  welcome: 'Take step 3 slowly, we compare notes at 11:15.', state: 'open', join_code: 'MARI-GOLD',
  opens_at: begun, closes_at: begun + 240 * MINUTE, seats: 30, seats_taken: 28,
  budget_micros: 12_000_000, currency: 'USD', email_required: false, roster_only: false,
  provider: 'digitalocean', spill: [],
  labs: several ? [VOLUMES, SHELL, WEB] : [VOLUMES], now: Date.now(),
}

function marks(step: number, of: number, last: string): string {
  return 'p'.repeat(step - 1) + last + '.'.repeat(of - step)
}

type Odd = { kind: S['Need']['kind']; minutes: number; text: string; line?: string }
const ODD: Record<number, Odd> = {
  0: { kind: 'hand', minutes: 6, text: 'Where do I see the volume?' },
  1: { kind: 'failing', minutes: 13, text: 'The volume is not there.', line: 'permission denied' },
  2: { kind: 'failing', minutes: 11, text: 'Postgres does not run.',
    line: 'docker run -v ./pgdata:/data postgres:17' },
  3: { kind: 'quiet', minutes: 9, text: '',
    line: 'psql: error: connection failed' },
  21: { kind: 'broken', minutes: 2, text: 'No room for one more machine.' },
}
const boxes = new Map<string, S['BoardLab']>()
let lowered = false

function made(at: number): S['BoardLab'] {
  const where = setup.labs[at % 5 === 0 ? 0 : at % setup.labs.length]!
  const of = where.steps.length
  const step = at > 25 ? of : 1 + ((at * 7 + 3) % 5)
  const odd = ODD[at]
  const done = at > 25 || at === 17
  return {
    phase: at === 21 ? 'failed' : at === 12 ? 'starting' : 'ready',
    step,
    marks: done ? 'p'.repeat(of) : marks(step, of, odd?.kind === 'failing' ? 'x' : 'o'),
    deadline_at: at === 21 ? null : Date.now() + (38 + (at % 7)) * MINUTE,
    input_at: Date.now() - (at === 4 ? 5 : 0.5) * MINUTE,
    line: odd?.line ?? LINES[at % LINES.length]!,
    micros: 90_000 + ((at * 37_000) % 130_000),
    reason: at === 21 ? 'The provider had no room for one more machine.' : null,
  }
}

function student(name: string, at: number): S['BoardStudent'] {
  const where = setup.labs[at % 5 === 0 ? 0 : at % setup.labs.length]!
  if (at % 30 === 28 || at % 30 === 29) {
    return { id: null, name, joined_at: null, lab: null, need: null, labs: {} }
  }
  const box = boxes.get(`u${at}`) ?? made(at)
  boxes.set(`u${at}`, box)
  const odd = at === 0 && lowered ? undefined : ODD[at]
  const need = odd && { kind: odd.kind, since: Date.now() - odd.minutes * MINUTE, lab: where.name,
    text: odd.text }
  return { id: `u${at}`, name, joined_at: begun + at * 4_000, lab: where.name, need: need ?? null,
    labs: { [where.name]: box } }
}

/** FAKE_STUDENTS: how many; beyond thirty the names repeat with a number. */
export function board(): S['BoardAnswer'] {
  const many = Number(process.env.FAKE_STUDENTS ?? NAMES.length)
  const beat = Math.floor(Date.now() / 2_500)
  const mover = boxes.get(`u${5 + (beat % 15)}`)
  if (mover) mover.line = LINES[beat % LINES.length]!
  const students = Array.from({ length: many }, (_, at) => {
    const turn = Math.floor(at / NAMES.length)
    return student(`${NAMES[at % NAMES.length]!}${turn ? ` ${turn + 1}` : ''}`, at)
  })
  const so_far_micros = 4_390_000 + Math.floor((Date.now() - begun - 24 * MINUTE) / 1.07)
  return { students, now: Date.now(), look_ms: 2_500,
    cost: { so_far_micros, hour_micros: 3_360_000, budget_micros: setup.budget_micros } }
}

const PRICES = [['volumes', 'Volumes: keep your data safe', 285, 'database', 120_000],
  ['shell', 'Find your way in the shell', 70, 'shell', 60_000],
  ['web', 'HTTP by hand', 200, 'web', 60_000],
  ['break', 'Break in, then lock the door', 25, 'shield', 240_000],
  ['net', 'Networks that talk', 170, 'network', 90_000],
  ['blocks', 'A stack from blocks', 145, 'blocks', 120_000]] as const

function catalogue(): S['Catalogue'] {
  const labs = PRICES.map(([name, title, hue, motif, micros_per_hour], at) => ({
    name, title, hue, motif, micros_per_hour, minutes: 35 + at * 5, steps: 5 + at,
    machines: name === 'break' ? 2 : 1, lifetime_minutes: 60,
    summary: 'Lose a database on purpose, find out where data lives, then never lose one again.',
  }))
  const elsewhere = ['linode', 'digitalocean-ams3']
  return { labs, elsewhere, currency: setup.currency, now: Date.now() }
}

function roster(): S['RosterAnswer'] {
  return { people: board().students.map(({ name, joined_at }, at) => ({
    name, email: at % 4 ? `${name.split(' ')[0]!.toLowerCase()}@example.org` : null,
    expected: at !== 7, joined_at,
  })) }
}

function each(seats: S['Seat'][] | null | undefined, change: (box: S['BoardLab']) => void): number {
  const ids = seats?.map(({ student: id }) => id) ?? [...boxes.keys()]
  const found = ids.flatMap((id) => boxes.get(id) ?? []).filter(({ phase }) => phase === 'ready')
  found.forEach(change)
  return found.length
}

function done(path: string, text: string): Reply {
  const now = Date.now()
  const body = (text ? JSON.parse(text) : {}) as Record<string, unknown>
  if (path.endsWith('/messages')) {
    const students = (body.students as string[] | null)?.length ?? 28
    return { status: 201, body: { id: `m${now}`, text: body.text, at: now, students } }
  }
  if (path.endsWith('/extend')) {
    const more = Number(body.minutes) * MINUTE
    const add = (box: S['BoardLab']) => (box.deadline_at = (box.deadline_at ?? now) + more)
    return { status: 200, body: { now, count: each(body.sandboxes as S['Seat'][], add) } }
  }
  const end = (box: S['BoardLab']) => (box.phase = 'gone')
  return { status: 200, body: { now, count: each(body.sandboxes as S['Seat'][], end) } }
}

/** What a step's checks said, as the drawer shows it. */
export function studentProgress(): S['ProgressView'] {
  const verdict = { check: 'mounted', title: 'Container db mounts it', ok: false, at: Date.now(),
    text: 'They mount /data, the image writes to /var/lib/postgresql/data.' }
  const steps = VOLUMES.steps.map(({ id }, at) => ({
    id, state: 'failing' as const, tries: 4, hints: 0, passed_at: null, quiz: [],
    verdicts: at < 4 ? [verdict] : [],
  }))
  return { busy: null, done: 2, of: 7, hand_at: null, problem: null, revision: 1, step: 's3', steps,
    watching: '' }
}

export function boardAnswer(method: string, path: string, body: string): Reply | null {
  switch (`${method} ${path}`) {
    case 'GET /v1/labs':
      return { status: 200, body: catalogue() }
    case 'POST /v1/classes':
      return { status: 201, body: { ...setup, title: (JSON.parse(body) as S['ClassBody']).title } }
    case 'GET /v1/classes/c1/setup':
      return { status: 200, body: { ...setup, now: Date.now() } }
    case 'PATCH /v1/classes/c1/setup':
      setup.title = (JSON.parse(body) as S['ClassChange']).title ?? setup.title
      setup.version += 1
      return { status: 200, body: setup }
    case 'GET /v1/classes/c1/roster':
    case 'PUT /v1/classes/c1/roster':
      return { status: 200, body: roster() }
    case 'GET /v1/classes/c1/board':
      return { status: 200, body: board() }
    case 'GET /v1/classes/c1/board.csv':
      return { status: 200, body: 'name,lab,step\r\n', kind: 'text/csv' }
    case 'POST /v1/classes/c1/messages':
    case 'POST /v1/classes/c1/extend':
    case 'POST /v1/classes/c1/stop':
      return done(path, body)
    default:
      break
  }
  if (method === 'DELETE' && path.endsWith('/hand')) {
    lowered = true
    return { status: 200, body: { progress: studentProgress(), now: Date.now() } }
  }
  return null
}
