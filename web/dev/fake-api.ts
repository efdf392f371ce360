/**
 * A pretend API for looking at pages before a server runs; never part of a build. Its terminals
 * are real shells under `script`. Start with `npm run dev:fake` and open /c/c1 or /join/MARIGOLD;
 * FAKE_STATE=none|failed|gone|slow|soon sets how the lab "volumes" is, or how long starts take.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Plugin } from 'vite'
import { WebSocketServer } from 'ws'
import type { components } from '../src/api/schema'
import { boardAnswer } from './fake-board.ts'
import { labCards, labContent, MINUTE, sandbox } from './fake-data.ts'
import { Shell, TerminalServer } from './terminal-server.ts'

type S = components['schemas']
const boxes = new Map<string, S['SandboxView']>()
const shells = new Map<string, Shell>()
const children: ChildProcess[] = []
const terminals = new TerminalServer(shells)
let signedIn = true
let startMs = 6_000

function bash(name: string): void {
  if (shells.has(name)) return
  const child = spawn('script', ['-qfec', 'bash --norc', '/dev/null'], {
    env: {
      ...process.env,
      TERM: 'xterm-256color',
      PS1: String.raw`\[\e[1;33m\]asha\[\e[0;37m\]@lab \[\e[36m\]\w \[\e[1;33m\]\$\[\e[0m\] `,
    },
    cwd: '/usr',
  })
  children.push(child)
  const shell: Shell = new Shell(`e${Date.now()}`, (): Buffer => shell.output)
  shell.onInput = (bytes) => void child.stdin?.write(bytes)
  child.stdout?.on('data', (bytes: Buffer) => shell.print(bytes))
  child.on('exit', () => {
    shell.event({ type: 'ended', at: Date.now() })
    shells.delete(name)
  })
  shells.set(name, shell)
}

function begin(lab: string): S['SandboxView'] {
  const now = Date.now()
  const box: S['SandboxView'] = { ...sandbox(`x${now}`, 'queued'), asked_at: now }
  box.seconds_expected = startMs / 1000
  boxes.set(lab, box)
  const later = (part: number, change: () => void) => setTimeout(change, startMs * part)
  later(0.1, () => (box.phase = 'starting'))
  later(0.7, () => (box.machines = [{ name: 'lab', state: 'running' }]))
  later(1, () => Object.assign(box, { ...sandbox(box.id, 'ready'), ready_at: Date.now() }))
  return box
}

function preset(): void {
  const state = process.env.FAKE_STATE
  if (state === 'slow') startMs = 60_000
  if (state === 'none') return
  const box = sandbox('first', state === 'failed' || state === 'gone' ? state : 'ready')
  if (state === 'failed') box.reason = 'The host has no memory left for one more machine.'
  if (state === 'soon') box.deadline_at = Date.now() + 4 * MINUTE
  boxes.set('volumes', box)
}

type Reply = { status: number; body?: unknown }
const ok = (body: unknown, status = 200): Reply => ({ status, body })
const no = (status: number, title: string, fix: string, field?: string): Reply => ({
  status,
  body: { type: 'about:blank', title, status, fix, field },
})
const me = { id: 'u9', name: 'Asha Raghunathan', role: 'instructor' as const }

const beside = { progress: null, messages: [], look_ms: 1_000 }

function sandboxRoute(lab: string, method: string, rest: string, body: string): Reply {
  const now = Date.now()
  const box = boxes.get(lab) ?? null
  if (method === 'PUT') {
    const live = box && ['queued', 'starting', 'ready'].includes(box.phase)
    return ok({ sandbox: live ? box : begin(lab), ...beside, now }, 201)
  }
  if (method === 'DELETE' && box) {
    box.phase = 'stopping'
    setTimeout(() => Object.assign(box, { phase: 'gone', ended_at: Date.now() }), 1500)
    return ok({ sandbox: box, ...beside, now }, 202)
  }
  if (rest === '/extend' && box?.deadline_at) {
    box.deadline_at += box.extend_minutes * MINUTE
    box.extensions_left -= 1
    return ok({ sandbox: box, ...beside, now })
  }
  if (rest === '/ticket') {
    const wish = JSON.parse(body) as S['TicketBody']
    box?.terminals.forEach(({ name }) => bash(name))
    const url =
      wish.for === 'preview' ? 'http://localhost:5173/mark.svg' : 'ws://localhost:5173/agent/terminal'
    return ok({ ticket: 't', expires_at: now + MINUTE, url }, 201)
  }
  return ok({ sandbox: box, ...beside, now })
}

function classPage(): S['ClassPage'] {
  const now = Date.now()
  return {
    id: 'c1',
    title: 'DevOps Foundations',
    instructor: 'Prof. Meera Iyer',
    welcome: '“Take step 3 slowly, we compare notes at 11:15.”',
    state: 'open',
    opens_at: now - 60 * MINUTE,
    closes_at: now + 180 * MINUTE,
    now,
    me,
    here: 12,
    teaches: true,
    messages: [],
    look_ms: 1_000,
    allowed: ['see_class', 'play', 'see_board'],
    labs: labCards(boxes),
  }
}

function answer(method: string, path: string, body: string): Reply {
  const now = Date.now()
  const trainers = boardAnswer(method, path, body)
  if (trainers) return trainers
  const labs = /^\/v1\/classes\/c1\/labs\/(\w+)(\/sandbox)?(\/\w+)?$/.exec(path)
  if (labs?.[2]) return sandboxRoute(labs[1]!, method, labs[3] ?? '', body)
  if (labs) {
    const lab = labContent(labs[1]!)
    const box = boxes.get(labs[1]!) ?? null
    if (!lab) return no(404, 'There is no such lab.', 'Go back.')
    return ok({ lab, sandbox: box, ...beside, now })
  }
  if (path.startsWith('/v1/join/')) {
    if (!path.endsWith('MARIGOLD')) {
      return no(404, 'No class has this code.', 'Check it with your teacher.', 'code')
    }
    const times = { opens_at: now - MINUTE, closes_at: now + 99 * MINUTE }
    return ok({ title: 'DevOps Foundations', instructor: 'Prof. Meera Iyer', state: 'open',
      ...times, seats: 30, seats_taken: 28, email_required: false })
  }
  switch (`${method} ${path}`) {
    case 'POST /v1/join':
    case 'POST /v1/sign-in':
      signedIn = true
      return ok({ class_id: 'c1', user: me, classes: [], allowed: [] }, 201)
    case 'DELETE /v1/session':
      signedIn = false
      return { status: 204 }
    case 'POST /v1/session/link':
      return ok({ url: 'http://localhost:5173/sign-in#k7w2', expires_at: now + 5 * MINUTE }, 201)
    case 'GET /v1/session':
      return ok({ user: signedIn ? me : null, classes: [], allowed: [] })
    case 'GET /v1/classes':
      return ok({ classes: [{ id: 'c1', title: 'DevOps Foundations', state: 'open',
        join_code: 'MARI-GOLD' }] })
    case 'GET /v1/classes/c1':
      return ok(classPage())
    default:
      return no(404, 'There is nothing here.', 'Go back.')
  }
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const { status, body: out } = answer(
    request.method ?? 'GET',
    new URL(request.url ?? '/', 'http://x').pathname,
    body,
  )
  const kind = status >= 400 ? 'application/problem+json' : 'application/json'
  response.writeHead(status, { 'content-type': kind })
  response.end(out === undefined ? undefined : JSON.stringify(out))
}

export function fakeApi(): Plugin {
  preset()
  return {
    name: 'fake-api',
    configureServer(server) {
      const sockets = new WebSocketServer({ noServer: true })
      server.httpServer?.on('upgrade', (request, socket, head) => {
        if (request.url !== '/agent/terminal') return
        sockets.handleUpgrade(request, socket, head, (one) => terminals.serve(one))
      })
      server.httpServer?.on('close', () => children.forEach((child) => child.kill()))
      server.middlewares.use((request, response, next) => {
        if (request.url === '/v1/fake/drop') terminals.drop()
        if (request.url === '/v1/fake/refuse') terminals.refuse = { code: 4429, reason: 'later' }
        if (request.url?.startsWith('/v1/')) void handle(request, response)
        else next()
      })
    },
  }
}
