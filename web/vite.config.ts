import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { fonts } from './delivery/fonts.ts'
import { netlify } from './delivery/netlify.ts'
import { packed } from './delivery/packed.ts'
import { preloads } from './delivery/preloads.ts'

const api = process.env.PORTAL_URL ?? 'http://127.0.0.1:8000'
/** Nothing in here may import what stays in the entry: the two would wait for each other. */
const PARTS = new RegExp(
  [
    'plugin-vue:export-helper|vite/preload-helper|src/i18n/index\\.',
    'src/(api/(calls|client|patience|problem|returning|typed|weather)|art/(Brand|Night|Planet))',
    'src/(clock|chance|keep|theme|title)\\.',
    'src/components/((App|Icon|Theme)Button|FieldNote|LanguageSelect|PersonBadge)',
    'src/components/(ProblemNote|StateChip|TextField)',
    '@lucide/vue/dist/esm/(Icon|context|createLucideIcon|shared)',
    '@lucide/vue/dist/esm/icons/(languages|loader-circle|moon|sun|triangle-alert)\\.',
  ].join('|'),
)

export default defineConfig(async ({ mode }) => ({
  plugins: [
    vue(),
    tailwindcss(),
    preloads(),
    fonts(),
    netlify(process.env),
    ...(process.env.NETLIFY ? [] : [packed()]), // Netlify packs by itself
    // A pretend API for looking at pages; never part of a build.
    ...(mode === 'fake' ? [(await import('./dev/fake-api.ts')).fakeApi()] : []),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    __VUE_OPTIONS_API__: false, // nothing here uses it
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false,
  },
  build: {
    modulePreload: { polyfill: false },
    target: ['chrome111', 'edge111', 'firefox128', 'safari16.4'],
    manifest: true,
    assetsInlineLimit: 0, // a strict font-src and img-src need no data: addresses
    chunkSizeWarningLimit: 420,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What every page has, in one file: it packs better than in the pieces that come by
          // themselves. Nothing it imports may be drawn in, or it would carry half of Reka.
          groups: [
            {
              name: 'base',
              test: /node_modules\/(@vue\/|vue\/|vue-router\/)/,
              includeDependenciesRecursively: false,
            },
            // Small parts of nearly every page: one file instead of a dozen of 300 bytes each.
            { name: 'parts', test: PARTS, includeDependenciesRecursively: false },
          ],
        },
      },
    },
  },
  server: {
    port: 5173,
    proxy:
      mode === 'fake'
        ? undefined
        : { '/v1': { target: api }, '/agent': { target: api, ws: true } },
  },
  test: {
    environment: 'happy-dom',
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 15_000,
    pool: 'threads',
    isolate: false, // every file puts back what it stubs; this halves the time
  },
}))
