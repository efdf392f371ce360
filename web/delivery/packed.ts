/**
 * Every text file of the build packed beside it, for servers that send what is there: our own one
 * hands out `x.js.br` or `x.js.gz` for `x.js` to whoever can read them, and packs nothing itself.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

const TEXT = /\.(js|css|svg|json|webmanifest|txt)$/
/** Below this a packed answer saves no packet. */
const LEAST_BYTES = 1_000

function pack(path: string): void {
  const bytes = readFileSync(path)
  const most = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, most))
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
}

export function packed(): Plugin {
  let folder = ''
  return {
    name: 'packed',
    apply: 'build',
    configResolved: (config) => void (folder = config.build.outDir),
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true }) as string[]) {
        const path = join(folder, name)
        if (TEXT.test(name) && statSync(path).size >= LEAST_BYTES) pack(path)
      }
    },
  }
}
