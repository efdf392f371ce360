import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { along, groups } from './delivery/chunks.ts'
import { fonts } from './delivery/fonts.ts'
import { icons } from './delivery/icons.ts'
import { netlify } from './delivery/netlify.ts'
import { packed } from './delivery/packed.ts'
import { preloads } from './delivery/preloads.ts'
import { pressed } from './delivery/pressed.ts'
import { shed } from './delivery/shed.ts'
import { weights } from './delivery/weigh.ts'

const api = process.env.PORTAL_URL ?? 'http://127.0.0.1:8000'
/** Nothing on these pages is drawn often enough for what Vue would keep ready for it. */
const SMALL = { hoistStatic: false }

export default defineConfig(async ({ mode }) => ({
  plugins: [
    vue({ template: { compilerOptions: SMALL } }),
    icons(),
    shed(),
    tailwindcss(),
    preloads(),
    pressed(),
    weights(),
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
    modulePreload: {
      polyfill: false,
      resolveDependencies: (_: string, files: string[], { hostId }: { hostId: string }) =>
        along(files, hostId),
    },
    target: ['chrome111', 'edge111', 'firefox128', 'safari16.4'],
    manifest: true,
    // All styles pack into 14 KB; in pieces they were up to eight requests before the first paint.
    cssCodeSplit: false,
    assetsInlineLimit: 0, // a strict font-src and img-src need no data: addresses
    chunkSizeWarningLimit: 420,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups,
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
    testTimeout: 90_000, // a part of a page that is first imported on a busy machine comes late
    retry: 1, // as scripts/once-more does for Python's: docs/decisions/0026 says why
    pool: 'threads',
    isolate: false, // every file puts back what it stubs; this halves the time
    restoreMocks: true, // a clock that stands still would stand for whatever file comes next
  },
}))
