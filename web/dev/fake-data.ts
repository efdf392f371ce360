/** What the pretend API tells: a class with labs in every state, and a board full of people. */
import type { components } from '../src/api/schema'

type S = components['schemas']
export const MINUTE = 60_000

export function sandbox(id: string, phase: S['SandboxView']['phase']): S['SandboxView'] {
  const now = Date.now()
  const alive = phase === 'ready'
  return {
    id,
    phase,
    ahead: 0,
    reason: null,
    asked_at: now - 20 * MINUTE,
    ready_at: alive ? now - 20 * MINUTE : null,
    deadline_at: alive ? now + 42 * MINUTE + 18_400 : null,
    idle_at: null,
    ended_at: phase === 'gone' ? now - 3 * MINUTE : null,
    extend_minutes: 15,
    extensions_left: 4,
    machines: [{ name: 'lab', state: alive ? 'usable' : 'asked' }],
    terminals: [
      { name: 'main', machine: 'lab' },
      { name: 'logs', machine: 'lab' },
    ],
    ports: [{ machine: 'lab', port: 8080, title: 'Web' }],
    stage: phase === 'ready' ? 'Ready' : 'Making your machine',
    seconds_expected: 8,
  }
}

type Card = Pick<S['LabCard'], 'name' | 'title' | 'summary' | 'minutes' | 'steps' | 'hue' | 'motif'>
function card(name: string, title: string, summary: string, shape: number[], motif: string): Card {
  const [minutes = 0, steps = 0, hue = 0] = shape
  return { name, title, summary, minutes, steps, hue, motif }
}
const CARDS: Card[] = [
  card('shell', 'Find your way in the shell',
    'Look around, read, search and stop a process: open the dome of an old observatory.',
    [37, 7, 70], 'shell'),
  card('web', 'HTTP by hand',
    'Speak HTTP with curl, then serve a page of your own and see it in the preview.',
    [40, 6, 200], 'web'),
  card('volumes', 'Volumes: keep your data safe',
    'Lose a database on purpose. Then never again.', [50, 7, 285], 'database'),
  card('break', 'Break in, then lock the door',
    'Two machines: attack a careless web shop, then fix what let you in.',
    [60, 8, 25], 'shield'),
  card('net', 'Networks that talk',
    'Follow a packet between machines and find out who dropped it.', [45, 6, 170], 'network'),
  card('blocks', 'A stack from blocks',
    'Put services together and watch them find each other.', [45, 6, 145], 'blocks'),
]

export function labCards(boxes: Map<string, S['SandboxView']>): S['LabCard'][] {
  return CARDS.map((card) => ({
    ...card,
    machines: card.name === 'break' ? 2 : 1,
    lifetime_minutes: 60,
    step: 1,
    done: 0,
    sandbox: boxes.get(card.name) ?? null,
  }))
}

const STEP = `
<p>You just watched <strong>Galileo</strong> and <strong>Ganymede</strong> vanish with their
container. A <strong>volume</strong> lives outside the container, so the data stays when the
container goes.</p>
<p>Make one called <code>pgdata</code>:</p>
<pre class="command" data-run data-terminal="main" data-language="sh"><code>ls -la --color /usr | head -n 8</code></pre>
<p>Now start it again, this time with the volume mounted where the database keeps its files:</p>
<pre class="command" data-run data-terminal="main" data-language="sh"><code>for moon in io europa ganymede callisto; do echo "hello $moon"; done | sort | nl</code></pre>
<div class="callout" role="note" data-callout="tip"><p class="callout-title">Why that path?</p>
<p>Every image decides where it writes. It says so on its page, so look there first.</p></div>
<h3>Sign the book</h3>
<p>Put your own name where it says Asha, then press <strong>Enter</strong>:</p>
<pre class="command" data-copy data-language="sh"><code>echo "2026  Asha" &gt;&gt; visitors.txt</code></pre>
<p>A configuration looks like this:</p>
<pre class="code" data-language="yaml" tabindex="0"><code><span class="tok-nt">services</span>:
  <span class="tok-nt">db</span>:
    <span class="tok-nt">image</span>: <span class="tok-l">postgres:17</span> <span class="tok-c1"># the newest</span></code></pre>
<ul><li>One machine, yours alone</li><li>Deleted when you stop it</li></ul>
<div class="callout" role="note" data-callout="warning"><p class="callout-title">Careful</p>
<p>A single <code>&gt;</code> replaces the whole book.</p></div>
`

export function labContent(name: string): S['LabContent'] | null {
  const card = CARDS.find((one) => one.name === name)
  if (!card) return null
  const titles = ['Meet the container', 'Lose the data', 'Create a volume', 'Mount it',
    'Survive a restart', 'Back it up', 'Clean up', 'Lock the door']
  const steps = titles.slice(0, card.steps).map((title, at) => ({
    id: `s${at + 1}`,
    title,
    html: STEP,
    minutes: 4 + (at % 3) * 2,
    checks: [],
    hints: [],
    hints_total: 0,
    quiz: [],
    solvable: false,
  }))
  const { title, summary, minutes } = card
  return { name, title, summary, minutes, steps, number: 1, lifetime_minutes: 60 }
}
