/**
 * What Netlify needs to know that is only known at build time: `_headers` with a strict policy
 * that names our inline scripts by their hashes, and `_redirects` that leads the API's paths to
 * the server. See docs/how-to/deploy-the-web-app-on-netlify.md.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Plugin } from 'vite'

/** From the environment of the build. Addresses as in a browser: `https://api.example.org`. */
export type Site = {
  /** PORTAL_API: the server that answers /v1 and the terminals' sockets. */
  api: string
  /** PORTAL_LABS: the domain of which every lab's web page is a subdomain. */
  labs: string
}

/** The site to deploy for, or null where the server serves the app itself. Throws on half. */
export function siteFrom(env: Readonly<Record<string, string | undefined>>): Site | null {
  const { PORTAL_API: api = '', PORTAL_LABS: labs = '' } = env
  if (!api && !labs && !env.NETLIFY) return null
  if (!/^https:\/\/[\w.-]+(:\d+)?$/.test(api)) {
    throw new Error('PORTAL_API must be the address of the server: https://api.example.org')
  }
  if (!/^[\w-]+(\.[\w-]+)+(:\d+)?$/.test(labs)) {
    throw new Error('PORTAL_LABS must be the domain of the labs: lab.example.org')
  }
  return { api, labs }
}

/** The texts of a page's inline scripts, exactly as a browser hashes them. */
export function inlineScripts(html: string): string[] {
  const scripts = html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)
  return [...scripts].map(([, text = '']) => text).filter((text) => text.trim() !== '')
}

export function policy(html: string, { api, labs }: Site): string {
  const hash = (text: string) => createHash('sha256').update(text).digest('base64')
  const scripts = inlineScripts(html).map((text) => ` 'sha256-${hash(text)}'`)
  const socket = api.replace(/^https/, 'wss')
  const rules = {
    'default-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
    'script-src': `'self'${scripts.join('')}`,
    'style-src': "'self' 'unsafe-inline'", // xterm.js draws with inline styles
    'img-src': "'self' data: blob:",
    'font-src': "'self'",
    'manifest-src': "'self'",
    'worker-src': "'self'",
    'connect-src': `'self' ${socket} wss://*.${labs}`,
    'frame-src': `https://*.${labs}`,
  }
  const said = Object.entries(rules).map(([name, value]) => `${name} ${value}`)
  return [...said, 'upgrade-insecure-requests'].join('; ')
}

export function headers(html: string, site: Site): string {
  const clipboard = `clipboard-read=(self), clipboard-write=(self "https://*.${site.labs}")`
  return `/*
  Content-Security-Policy: ${policy(html, site)}
  X-Content-Type-Options: nosniff
  Referrer-Policy: strict-origin-when-cross-origin
  Permissions-Policy: camera=(), microphone=(), geolocation=(), payment=(), ${clipboard}
  Strict-Transport-Security: max-age=63072000; includeSubDomains
  Cross-Origin-Opener-Policy: same-origin
/assets/*
  Cache-Control: public, max-age=31536000, immutable
/index.html
  Cache-Control: public, max-age=0, must-revalidate
`
}

/** Before the rules of netlify.toml, which end with the app itself for every other path. */
export function redirects({ api }: Site): string {
  return `/v1/*  ${api}/v1/:splat  200!\n`
}

export function netlify(env: Readonly<Record<string, string | undefined>>): Plugin {
  const site = siteFrom(env)
  let dist = ''
  return {
    name: 'netlify',
    apply: 'build',
    configResolved(config) {
      dist = resolve(config.root, config.build.outDir)
    },
    writeBundle() {
      if (!site) return
      const html = readFileSync(join(dist, 'index.html'), 'utf8')
      writeFileSync(join(dist, '_headers'), headers(html, site))
      writeFileSync(join(dist, '_redirects'), redirects(site))
    },
  }
}
