/**
 * Leaves out what a library brings along for uses that this app has not: TanStack Query's endless
 * lists, which every query would carry.
 */
import type { Plugin } from 'vite'

const QUERY = /@tanstack\/query-core\/build\/modern\/query\.js$/
const ENDLESS = /\(this\.#queryType === "infinite" \? infiniteQueryBehavior\([^)]*\) : ([\w.]+)\)/

/** The text of TanStack's query.js without them. Throws where it is written in another way. */
export function shorter(code: string): string {
  if (!ENDLESS.test(code)) throw new Error('query.js is not as delivery/shed.ts knows it')
  return code.replace(ENDLESS, '$1')
}

export function shed(): Plugin {
  return {
    name: 'shed',
    apply: 'build',
    enforce: 'pre',
    transform: (code, id) => (QUERY.test(id) ? shorter(code) : null),
  }
}
