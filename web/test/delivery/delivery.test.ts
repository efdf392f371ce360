// @vitest-environment node
/** What is delivered: weights, preloads, headers. Built once, as for Netlify, into a folder. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { closure, ENTRY, sources, words, type Chunks } from '../../delivery/graph'
import { headers, inlineScripts, policy, redirects, siteFrom } from '../../delivery/netlify'
import { pattern } from '../../delivery/preloads'
import { shorter } from '../../delivery/shed'
import { readManifest, table, weigh } from '../../delivery/weigh'
import { addresses } from '@/addresses'
import type { Asked } from '@/api/early'

const WEB = resolve(import.meta.dirname, '../..')
const SITE = { api: 'https://api.example.org', labs: 'lab.example.org' }
let dist: string
let chunks: Chunks
let html: string

beforeAll(() => {
  dist = mkdtempSync(join(tmpdir(), 'brihaspati-dist-'))
  const vite = join(WEB, 'node_modules/vite/bin/vite.js')
  const site = { PORTAL_API: SITE.api, PORTAL_LABS: SITE.labs }
  execFileSync(process.execPath, [vite, 'build', '--outDir', dist, '--emptyOutDir'], {
    cwd: WEB,
    env: { ...process.env, NODE_ENV: 'production', ...site },
    stdio: 'pipe',
  })
  chunks = readManifest(dist)
  html = readFileSync(join(dist, 'index.html'), 'utf8')
}, 300_000)
afterAll(() => rmSync(dist, { recursive: true, force: true }))

it('keeps every page within its budget', () => {
  const weights = addresses.map((one) => weigh(dist, chunks, one))
  const said = table(weights)
  process.stdout.write(`\n${said}\n`)
  expect(weights.filter(({ budget }) => budget !== undefined).length).toBeGreaterThanOrEqual(4)
  const over = weights.filter(({ bytes, budget }) => bytes > (budget ?? Infinity) * 1000)
  expect(over.map(({ name }) => name), said).toEqual([])
})

it('weighs the terminal with the lab, and not with the join page', () => {
  const files = (name: string) => {
    const one = addresses.find((address) => address.name === name)!
    return [...closure(chunks, sources(one))].join()
  }
  expect(files('lab')).toContain('terminal/line')
  expect(files('join')).not.toMatch(/terminal|queries|asking/)
})

it('leaves out what the app has no use for, and says where a library has changed', () => {
  const files = [...new Set(Object.values(chunks).map(({ file }) => file))]
  const scripts = files.filter((file) => file.endsWith('.js'))
  const texts = scripts.map((file) => readFileSync(join(dist, file), 'utf8'))
  expect(texts.filter((text) => text.includes('getQueryCache')).length).toBeGreaterThan(0)
  expect(texts.filter((text) => text.includes('pageParams'))).toEqual([])
  expect(() => shorter('this.options.behavior?.onFetch()')).toThrow('query.js')
})

it('has no chunk that waits for the entry and that the entry waits for', () => {
  const before = closure(chunks, chunks[ENTRY]!.imports)
  expect([...before]).not.toContain(ENTRY)
})

it('runs what every page has in tasks of their own, before the entry', () => {
  const run = [...html.matchAll(/<script type="module"[^>]* src="\/assets\/(\w+)-[^"]+"/g)]
  expect(run.map(([, name]) => name)).toEqual(['base', 'parts', 'index'])
})

type Files = Record<string, string[]>
type Left = { ahead?: (path: string) => void; early?: Map<string, Asked> }
type Plan = [string, string[], Record<string, string[]>][]
const scripts = () => inlineScripts(html)

/** Runs the page's script in front of an address, and what it asks for; then goes to others. */
function asks(
  path: string,
  languages: string[],
  kept: Record<string, string> = {},
  further: string[] = [],
  own: Left = {},
): string[] {
  const asked: string[] = []
  const root = { dataset: {} as Record<string, string> }
  const head = { appendChild: (link: { href: string }) => asked.push(link.href) }
  const page = { documentElement: root, head, createElement: () => ({}) }
  const store = { getItem: (name: string) => kept[name] ?? null }
  const names = ['document', 'location', 'navigator', 'localStorage', 'matchMedia']
  const light = () => ({ matches: false })
  const fetch = async (to: string) => {
    asked.push(to)
    return new Response('{}')
  }
  const given = [page, { pathname: path, origin: 'https://here' }, { languages }, store, light, own]
  new Function(...names, 'window', 'fetch', scripts()[0]!)(...given, fetch)
  further.forEach((next) => own.ahead?.(next))
  return [...asked, `theme:${root.dataset.theme}`]
}

it('has one inline script, which asks for what the page in the address bar needs', () => {
  expect(scripts()).toHaveLength(1)
  const one = addresses.find(({ name }) => name === 'lab')!
  const entry = chunks[ENTRY]!.file
  const needed = [...closure(chunks, [ENTRY, ...sources(one), ...words(one, 'de')])]
    .map((key) => chunks[key]!.file)
    .filter((file) => file !== entry)
  const asked = asks('/c/c1/labs/web', ['de-AT', 'en'])
  const data = ['/v1/classes/c1/labs/web', '/v1/classes/c1']
  const files = needed.map((file) => `/${file}`)
  expect(new Set(asked)).toEqual(new Set([...files, ...data, 'theme:light']))
})

it('asks for the data of the first page alone, and keeps it for whoever asks that', async () => {
  const own: Left = {}
  const asked = asks('/c/c%201', ['en'], {}, ['/c/c2/labs/web', '/c/c2/board'], own)
  const data = ['/v1/classes/c%201', '/v1/session']
  expect(asked.filter((one) => one.startsWith('/v1/'))).toEqual(data)
  const [response, bytes] = await own.early!.get('GEThttps://here/v1/classes/c%201')!.back
  expect([response.status, bytes.byteLength]).toEqual([200, 2])
  expect(asks('/sign-in', ['en']).join()).not.toContain('/v1/')
})

it('asks for the words of the language chosen, and for no page at an unknown address', () => {
  const join = (locale: 'en' | 'de') => `/${chunks[`src/i18n/${locale}/join.ts`]!.file}`
  expect(asks('/join/MARI-GOLD', ['en'])).toContain(join('en'))
  expect(asks('/join', ['en'], { 'brihaspati.locale': 'de' })).toContain(join('de'))
  expect(asks('/join', [], { 'brihaspati.theme': 'dark' })).toContain('theme:dark')
  const every = [...closure(chunks, chunks[ENTRY]!.imports)].map((key) => `/${chunks[key]!.file}`)
  const nowhere = asks('/join/a/b/c', ['en'])
  expect(new Set(nowhere)).toEqual(new Set([...every, 'theme:light']))
  expect(every.length).toBeGreaterThan(1)
})

it('asks for what a further page needs beside what is there, each file once', () => {
  const both = asks('/c/c1', ['en'], {}, ['/c/c1/labs/web', '/c/c1'])
  const files = (path: string) => asks(path, ['en']).filter((file) => !file.startsWith('/v1/'))
  const [one, other] = [asks('/c/c1', ['en']), files('/c/c1/labs/web')]
  expect(new Set(both)).toEqual(new Set([...one, ...other]))
  expect(new Set(both).size).toBe(both.length)
  expect(both.length).toBeGreaterThan(one.length)
})

it('has said which scripts it weighed, and each of them was built', () => {
  const said = JSON.parse(readFileSync(join(dist, '.vite/pages.json'), 'utf8')) as Files
  expect(Object.keys(said)).toEqual(addresses.map(({ name }) => name))
  expect(Object.values(said).flat().filter((file) => !existsSync(join(dist, file)))).toEqual([])
  for (const one of addresses) {
    const heaviest = weigh(dist, chunks, one).parts.map(({ file }) => file)
    expect(said[one.name]).toEqual(expect.arrayContaining(heaviest))
  }
  const keys = ['src/workspace/KeyBar.vue', 'src/workspace/QuizCard.vue']
  expect(said.lab).toEqual(expect.arrayContaining(keys.map((key) => chunks[key]!.file)))
})

it('asks only for files that were built', () => {
  const plan = JSON.parse(/\)\((\[\[.*\]\])\)/s.exec(scripts()[0]!)![1]!) as Plan
  expect(plan).toHaveLength(addresses.length)
  const files = plan.flatMap(([, own, spoken]) => [...own, ...Object.values(spoken).flat()])
  expect(files.filter((file) => !existsSync(join(dist, file)))).toEqual([])
  const fonts = [...html.matchAll(/href="(\/[^"]+\.woff2)"/g)].map(([, href]) => href!)
  expect(fonts).toHaveLength(2)
  expect(fonts.filter((file) => !existsSync(join(dist, file)))).toEqual([])
})

it('reads addresses as the router does', () => {
  const is = (path: string, at: string) => new RegExp(pattern(path)).test(at)
  expect([is('/', '/'), is('/', '/join')]).toEqual([true, false])
  expect([is('/join/:code?', '/join'), is('/join/:code?', '/join/A/')]).toEqual([true, true])
  expect([is('/c/:a', '/c/1'), is('/c/:a', '/c/1/board')]).toEqual([true, false])
})

it('names its script by its hash and allows no other', () => {
  const said = readFileSync(join(dist, '_headers'), 'utf8')
  const hash = createHash('sha256').update(scripts()[0]!).digest('base64')
  expect(said).toContain(`script-src 'self' 'sha256-${hash}';`)
  expect(said).not.toContain("'unsafe-eval'")
  expect(/script-src[^;]*/.exec(said)![0]).not.toContain('unsafe')
  expect(said).toBe(headers(html, SITE))
})

it('lets the page talk to the server and show labs, and nothing else', () => {
  const rules = new Map(policy(html, SITE).split('; ').map((rule) => {
    const [name, ...values] = rule.split(' ')
    return [name, values.join(' ')] as const
  }))
  expect(rules.get('default-src')).toBe("'none'")
  expect(rules.get('connect-src')).toBe("'self' wss://api.example.org wss://*.lab.example.org")
  expect(rules.get('frame-src')).toBe('https://*.lab.example.org')
  expect(rules.get('frame-ancestors')).toBe("'none'")
  expect(redirects(SITE)).toBe('/v1/*  https://api.example.org/v1/:splat  200!\n')
})

it('builds for Netlify only with both addresses, and for nobody else', () => {
  expect(siteFrom({})).toBeNull()
  const { api, labs } = SITE
  expect(siteFrom({ PORTAL_API: api, PORTAL_LABS: labs })).toEqual(SITE)
  expect(() => siteFrom({ NETLIFY: 'true' })).toThrow('PORTAL_API')
  expect(() => siteFrom({ PORTAL_API: api })).toThrow('PORTAL_LABS')
  expect(() => siteFrom({ PORTAL_API: 'http://api.example.org' })).toThrow('https://')
  expect(() => siteFrom({ PORTAL_API: api, PORTAL_LABS: 'a b; script-src *' })).toThrow()
})

it('can be installed: a manifest whose icons are there, one of them to be cut to any shape', () => {
  const file = /<link rel="manifest" href="\/([^"]+)"/.exec(html)![1]!
  type Icon = { src: string; sizes: string; purpose: string; type: string }
  const said = JSON.parse(readFileSync(join(dist, file), 'utf8')) as { icons: Icon[] }
  const pngs = said.icons.filter(({ type }) => type === 'image/png')
  expect(pngs.map(({ purpose }) => purpose)).toContain('maskable')
  for (const { src, sizes } of pngs) {
    const png = readFileSync(join(dist, src))
    expect([src, `${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`]).toEqual([src, sizes])
    expect(png.length).toBeLessThan(20_000)
  }
  expect(existsSync(join(dist, 'apple-touch-icon.png'))).toBe(true)
})
