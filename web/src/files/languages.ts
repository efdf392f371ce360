/** Which language a file is in, by its name; each is a chunk of its own, loaded when needed. */
import { StreamLanguage } from '@codemirror/language'
import type { Extension } from '@codemirror/state'

type Load = () => Promise<Extension>

const legacy = async (mode: keyof typeof LEGACY) => StreamLanguage.define(await LEGACY[mode]())
const LEGACY = {
  shell: async () => (await import('@codemirror/legacy-modes/mode/shell')).shell,
  dockerfile: async () => (await import('@codemirror/legacy-modes/mode/dockerfile')).dockerFile,
  nginx: async () => (await import('@codemirror/legacy-modes/mode/nginx')).nginx,
  toml: async () => (await import('@codemirror/legacy-modes/mode/toml')).toml,
  properties: async () => (await import('@codemirror/legacy-modes/mode/properties')).properties,
}
const javascript = (options: { jsx?: boolean; typescript?: boolean }) => async () =>
  (await import('@codemirror/lang-javascript')).javascript(options)

const LOADS = {
  yaml: async () => (await import('@codemirror/lang-yaml')).yaml(),
  python: async () => (await import('@codemirror/lang-python')).python(),
  html: async () => (await import('@codemirror/lang-html')).html(),
  css: async () => (await import('@codemirror/lang-css')).css(),
  json: async () => (await import('@codemirror/lang-json')).json(),
  markdown: async () => (await import('@codemirror/lang-markdown')).markdown(),
  javascript: javascript({ jsx: true }),
  typescript: javascript({ jsx: true, typescript: true }),
  shell: () => legacy('shell'),
  dockerfile: () => legacy('dockerfile'),
  nginx: () => legacy('nginx'),
  toml: () => legacy('toml'),
  properties: () => legacy('properties'),
} satisfies Record<string, Load>
export type Language = keyof typeof LOADS

const BY_ENDING: Record<string, Language> = {
  yaml: 'yaml', yml: 'yaml', py: 'python', html: 'html', htm: 'html', vue: 'html', xml: 'html',
  svg: 'html', css: 'css', json: 'json', md: 'markdown', markdown: 'markdown',
  js: 'javascript', mjs: 'javascript', cjs: 'javascript', jsx: 'javascript',
  ts: 'typescript', tsx: 'typescript', sh: 'shell', bash: 'shell', zsh: 'shell', env: 'shell',
  toml: 'toml', conf: 'properties', ini: 'properties', cfg: 'properties', properties: 'properties',
  service: 'properties', dockerfile: 'dockerfile', containerfile: 'dockerfile',
}
const BY_NAME: Record<string, Language> = {
  dockerfile: 'dockerfile', containerfile: 'dockerfile', '.bashrc': 'shell', '.profile': 'shell',
  '.bash_profile': 'shell', '.zshrc': 'shell', 'nginx.conf': 'nginx', '.gitconfig': 'properties',
}

/** `path` and the file's beginning, which may say what runs it. */
export function languageOf(path: string, beginning = ''): Language | null {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  if (path.includes('/nginx/')) return 'nginx'
  const known = BY_NAME[name] ?? BY_ENDING[name.slice(name.lastIndexOf('.') + 1)]
  if (known && (name.includes('.') || BY_NAME[name])) return known
  const runner = /^#!.*(python|node|sh)/.exec(beginning)?.[1]
  if (runner === 'python') return 'python'
  if (runner === 'node') return 'javascript'
  return runner ? 'shell' : null
}

/** What one step of indentation is here: as the file has it, else as the language is used. */
export function indentOf(text: string, language: Language | null): string {
  if (/^\t/m.test(text)) return '\t'
  const first = /^( {2,8})\S/m.exec(text)?.[1]
  if (first) return first
  return language === 'python' ? '    ' : '  '
}

export function loadLanguage(language: Language): Promise<Extension> {
  return LOADS[language]()
}
