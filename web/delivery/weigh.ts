/** What each page's scripts weigh until it is usable: all it loads by itself, under gzip -9. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'
import { addresses, type Address } from '../src/addresses.ts'
import { closure, LOCALES, weighed, words, type Chunk, type Chunks, type Locale } from './graph.ts'

export type Weight = { name: string; bytes: number; budget: number | undefined; parts: Part[] }
export type Part = { file: string; bytes: number }

export function readManifest(dist: string): Chunks {
  const text = readFileSync(join(dist, '.vite/manifest.json'), 'utf8')
  const found = JSON.parse(text) as Record<string, Partial<Chunk> & { file: string }>
  return Object.fromEntries(
    Object.entries(found).map(([key, { file, imports = [], css = [] }]) => [
      key,
      { file, imports, css },
    ]),
  )
}

/** The scripts of a page in one language. */
function scripts(chunks: Chunks, one: Address, locale: Locale): string[] {
  const keys = closure(chunks, [...weighed(one), ...words(one, locale)])
  const files = new Set([...keys].map((key) => chunks[key]!.file))
  return [...files].filter((file) => file.endsWith('.js'))
}

/** A page's scripts, with its words in the language that has the longest ones. */
export function weigh(dist: string, chunks: Chunks, one: Address): Weight {
  const each = LOCALES.map((locale) => {
    return scripts(chunks, one, locale)
      .map((file) => ({ file, bytes: zipped(join(dist, file)) }))
      .sort((a, b) => b.bytes - a.bytes)
  })
  const sum = (parts: Part[]) => parts.reduce((all, part) => all + part.bytes, 0)
  const parts = each.reduce((most, next) => (sum(next) > sum(most) ? next : most))
  return { name: one.name, bytes: sum(parts), budget: one.budget, parts }
}

/** Writes which scripts were weighed, so that a test can ask a browser whether that is all. */
export function weights(): Plugin {
  let dist = ''
  return {
    name: 'weights',
    apply: 'build',
    configResolved: (config) => void (dist = resolve(config.root, config.build.outDir)),
    closeBundle() {
      const chunks = readManifest(dist)
      const all = (one: Address) => LOCALES.flatMap((locale) => scripts(chunks, one, locale))
      const said = addresses.map((one) => [one.name, [...new Set(all(one))]])
      writeFileSync(join(dist, '.vite/pages.json'), JSON.stringify(Object.fromEntries(said)))
    },
  }
}

function zipped(path: string): number {
  return gzipSync(readFileSync(path), { level: 9 }).length
}

/** The figures as lines to print, with the heaviest parts of a page that is over. */
export function table(weights: readonly Weight[]): string {
  const kb = (bytes: number) => (bytes / 1000).toFixed(1).padStart(6)
  const lines = weights.map(({ name, bytes, budget, parts }) => {
    const over = budget !== undefined && bytes > budget * 1000
    const limit = budget === undefined ? '' : ` of ${String(budget).padStart(3)}`
    const line = `${name.padEnd(12)} ${kb(bytes)}${limit} KB${over ? '  OVER' : ''}`
    const heavy = parts.slice(0, 8).map((part) => `    ${kb(part.bytes)}  ${part.file}`)
    return over ? [line, ...heavy].join('\n') : line
  })
  return lines.join('\n')
}
