/** The sources of the app as text, and which of them a page can come to need. */
import { dirname, join, normalize } from 'node:path/posix'
import { addresses } from '@/addresses'

const files = import.meta.glob<string>('../../src/**/*.{vue,ts}', {
  eager: true,
  query: '?raw',
  import: 'default',
})
/** By path in src/: "pages/JoinPage.vue". */
export const sources: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(files)
    .map(([path, text]) => [path.replace('../../src/', ''), text] as const)
    .filter(([path]) => !/^i18n\/(en|de)\/|^api\/schema/.test(path)),
)

function found(from: string, wanted: string): string | undefined {
  const path = wanted.startsWith('@/') ? wanted.slice(2) : normalize(join(dirname(from), wanted))
  return [path, `${path}.ts`, `${path}/index.ts`].find((one) => one in sources)
}

/** Fetched early by others, but theirs: they come with their own words. */
const apart = new Set(addresses.flatMap(({ ahead }) => ahead))

/** The areas that a file asks for with what it imports later: need('a'), withWords(.., 'a'). */
export function brings(path: string): string[] {
  const asking = /\bneed\(([^)]*)\)|\bwithWords\(\s*\(\) => import\([^)]*\),([^)]*)\)/
  const [, alone, along] = asking.exec(sources[path]!) ?? []
  const asked = alone ?? along ?? ''
  return [...asked.matchAll(/'(\w+)'/g)].map(([, area]) => area!)
}

/** What a file imports when it is needed. */
export function later(path: string): string[] {
  const wanted = [...sources[path]!.matchAll(/import\('([.@][^']*)'/g)]
  return wanted.flatMap(([, one]) => found(path, one!) ?? [])
}

/**
 * Everything a file imports, now or later; but no other page, whose words come with itself, nor
 * what another file imports together with its words.
 */
export function reach(start: string): Set<string> {
  const seen = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const [, how, wanted] of sources[path]!.matchAll(/(from |import\()'([.@][^']*)'/g)) {
      if (how === 'import(' && brings(path).length > 0) continue
      const next = found(path, wanted!)
      if (next && !apart.has(next) && !/^pages\/\w+Page\.vue$/.test(next)) visit(next)
    }
  }
  visit(start)
  return seen
}
