/** Asks for the two faces of every page at once, before the styles that name them are read. */
import type { Plugin } from 'vite'

const FACES = [/bricolage-grotesque-latin-700-normal.*\.woff2/, /figtree-latin-wght-normal/]

export function fonts(): Plugin {
  return {
    name: 'fonts',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle }) {
        const files = Object.keys(bundle ?? {})
        return FACES.map((face) => {
          const href = `/${files.find((file) => face.test(file)) ?? ''}`
          if (href === '/') throw new Error(`No font file for ${face}`)
          const attrs = { rel: 'preload', as: 'font', type: 'font/woff2', crossorigin: '', href }
          return { tag: 'link', injectTo: 'head' as const, attrs }
        })
      },
    },
  }
}
