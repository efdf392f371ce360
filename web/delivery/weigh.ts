/** What each page's scripts weigh: the sum over static imports, each file under gzip -9. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Address } from '../src/addresses.ts'
import { closure, ENTRY, LOCALES, sources, words, type Chunk, type Chunks } from './graph.ts'

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

/** Entry, page, what it asks with, and its words in the language that has the longest ones. */
export function weigh(dist: string, chunks: Chunks, one: Address): Weight {
  const each = LOCALES.map((locale) => {
    const keys = closure(chunks, [ENTRY, ...sources(one), ...words(one, locale)])
    const files = new Set([...keys].map((key) => chunks[key]!.file))
    return [...files]
      .filter((file) => file.endsWith('.js'))
      .map((file) => ({ file, bytes: zipped(join(dist, file)) }))
      .sort((a, b) => b.bytes - a.bytes)
  })
  const sum = (parts: Part[]) => parts.reduce((all, part) => all + part.bytes, 0)
  const parts = each.reduce((most, next) => (sum(next) > sum(most) ? next : most))
  return { name: one.name, bytes: sum(parts), budget: one.budget, parts }
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
