import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const api = process.env.PORTAL_URL ?? 'http://127.0.0.1:8000'

export default defineConfig(async ({ mode }) => ({
  plugins: [
    vue(),
    tailwindcss(),
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
