/** Icons as light as they can be: drawn by src/art/icon.ts, without the keys nobody needs. */
import { resolve } from 'node:path'
import type { Plugin } from 'vite'

const FROM = /@lucide\/vue\/dist\/esm\/icons\/[\w-]+\.mjs$/

/** The text of one of Lucide's modules without names, and keys of shapes, which never move. */
export function light(code: string): string {
  return code.replace(/, key: "\w+"/g, '').replace(/^ {2}(name|size|aliases): .*,$/gm, '')
}

export function icons(): Plugin {
  let root = ''
  return {
    name: 'icons',
    apply: 'build',
    enforce: 'pre',
    configResolved: (config) => void (root = config.root),
    resolveId: (name, from) =>
      name === '../createLucideIcon.mjs' && FROM.test(from ?? '')
        ? resolve(root, 'src/art/icon.ts')
        : null,
    transform: (code, id) => (FROM.test(id) ? light(code) : null),
  }
}
