/**
 * One inline script that loads the files of the page in the address bar side by side with the
 * entry, instead of after it, asks the API what that page will ask first, and sets the theme
 * before anything is painted. The router asks it for the files of every further page.
 */
import type { OutputBundle } from 'rolldown'
import type { Plugin } from 'vite'
import { addresses, type Address } from '../src/addresses.ts'
import { ACCEPT, LIMIT_MS } from '../src/api/early.ts'
import { closure, ENTRY, LOCALES, sources, words, type Chunk, type Chunks } from './graph.ts'

/** Runs in the page's head, before any module. `plan`: a `Line` for each address. */
const SCRIPT = `(function (plan) {
  var root = document.documentElement, store, said, theme, asked = {}
  var early = window.early = new Map()
  try { store = localStorage } catch (e) {}
  theme = store && store.getItem('brihaspati.theme')
  if (theme !== 'light' && theme !== 'dark')
    theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  root.dataset.theme = theme
  said = [store && store.getItem('brihaspati.locale')].concat(navigator.languages || [])
    .map(function (tag) { return String(tag || '').slice(0, 2).toLowerCase() })
    .filter(function (tag) { return LOCALES.indexOf(tag) >= 0 })[0] || 'en'
  function ask(to) {
    var how = { headers: { accept: ACCEPT }, signal: AbortSignal.timeout(LIMIT_MS) }
    var left = Date.now(), back = fetch(to, how).then(function (answer) {
      return answer.arrayBuffer().then(function (bytes) { return [answer, bytes, Date.now()] })
    })
    back.catch(function () {}) // whoever wants it hears of that
    early.set('GET' + location.origin + to, { left: left, back: back })
  }
  function load(file, at, late) {
    if (asked[file]) return
    asked[file] = true
    var link = document.createElement('link')
    link.rel = 'modulepreload'
    link.href = '/' + file
    if (late) link.fetchPriority = 'low'
    document.head.appendChild(link)
  }
  window.ahead = function (path) { plan.some(function (one) {
    if (!new RegExp(one[0]).test(path)) return false
    one[1].concat(one[2][said]).forEach(load)
    one[4].forEach(function (file) { load(file, 0, true) })
    return true
  }) }
  ;EVERY.forEach(load)
  window.ahead(location.pathname)
  plan.forEach(function (one) {
    var path = location.pathname, found = new RegExp(one[0])
    if (found.test(path)) one[3].forEach(function (to) { ask(path.replace(found, to)) })
  })
})(PLAN)`

/** What a page asks the API first, by its name; `$1` is the first hole of its path. */
const FIRST: Record<string, string[]> = {
  join: ['/v1/session'],
  class: ['/v1/classes/$1', '/v1/session'],
  lab: ['/v1/classes/$1/labs/$2', '/v1/classes/$1'],
  board: ['/v1/classes/$1/board', '/v1/classes/$1/setup', '/v1/session'],
}

type Line = [
  pattern: string,
  files: string[],
  words: Record<string, string[]>,
  data: readonly string[],
  /** What is wanted after the page was drawn: it leaves the line to the others. */
  late: string[],
]

/** "/c/:classId/labs/:lab" as a regular expression's source, with a group for each hole. */
export function pattern(path: string): string {
  const parts = path.split('/').filter(Boolean)
  const said = parts.map((part) => {
    if (!part.startsWith(':')) return `/${part}`
    return part.endsWith('?') ? '(/[^/]+)?' : '/([^/]+)'
  })
  return `^${said.join('')}/?$`
}

/** What the entry imports: without a word about it here it would be asked for after the entry. */
function everyPage(chunks: Chunks): string[] {
  const { file } = chunks[ENTRY]!
  const files = [...closure(chunks, [ENTRY])].map((key) => chunks[key]!.file)
  return [...new Set(files)].filter((one) => one !== file)
}

/** Each run in a task of its own as soon as it is here, so that the entry's is not a long one. */
function apart(chunks: Chunks): string {
  const each = everyPage(chunks).filter((file) => /\/(base|parts)-/.test(file))
  const tag = (file: string) => `<script type="module" crossorigin async src="/${file}"></script>`
  return each.sort().map((file) => `${tag(file)}\n    `).join('')
}

function line(chunks: Chunks, one: Address): Line {
  const filesOf = (keys: readonly string[]) =>
    [...closure(chunks, keys)].map((key) => chunks[key]!.file)
  const there = new Set(filesOf([ENTRY])) // named in the page already
  const files = (keys: readonly string[]) => [
    ...new Set(filesOf(keys).filter((file) => !there.has(file))),
  ]
  const spoken = LOCALES.map((locale) => [locale, files(words(one, locale))])
  const first = files(sources({ ...one, ahead: [] }))
  const late = files(sources(one)).filter((file) => !first.includes(file))
  return [
    pattern(one.path),
    first,
    Object.fromEntries(spoken),
    FIRST[one.name] ?? [],
    late,
  ]
}

/** The bundle's chunks in the shape of a manifest, whose keys are sources below the root. */
export function chunksOf(bundle: OutputBundle, root: string): Chunks {
  const chunks: Record<string, Chunk> = {}
  for (const output of Object.values(bundle)) {
    if (output.type !== 'chunk') continue
    const source = output.facadeModuleId?.replace(`${root}/`, '')
    const meta = (output as { viteMetadata?: { importedCss: Set<string> } }).viteMetadata
    const css = [...(meta?.importedCss ?? [])]
    const chunk = { file: output.fileName, imports: output.imports, css }
    chunks[output.fileName] = chunk
    if (source) chunks[source] = chunk
  }
  return chunks
}

export function preloads(): Plugin {
  let root = ''
  return {
    name: 'preloads',
    configResolved(config) {
      root = config.root
    },
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        if (!bundle) return html
        const chunks = chunksOf(bundle, root)
        const plan = addresses.map((one) => line(chunks, one))
        const script = SCRIPT.replace(/\n\s+/g, '\n')
          .replace('LOCALES', () => JSON.stringify(LOCALES))
          .replace('ACCEPT', () => JSON.stringify(ACCEPT))
          .replace('LIMIT_MS', () => `${LIMIT_MS}`)
          .replace('EVERY', () => JSON.stringify(everyPage(chunks)))
          .replace('PLAN', () => JSON.stringify(plan))
        return html
          .replace('</title>', () => `</title>\n    <script>${script}</script>`)
          .replace('<script type="module"', (entry) => `${apart(chunks)}${entry}`)
      },
    },
  }
}
