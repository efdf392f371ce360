// @vitest-environment node
/** Every visible word is a message, every message is used, and a page has the words it says. */
import { parse, type TemplateChildNode, type RootNode } from '@vue/compiler-dom'
import { expect, it } from 'vitest'
import type { Message } from '@/i18n/message'
import { addresses } from '@/addresses'
import { brings, later, reach, sources } from './sources'

const english = import.meta.glob<{ default: Record<string, Message> }>('../../src/i18n/en/*.ts', {
  eager: true,
})
const areaOf = new Map(
  Object.entries(english).flatMap(([path, { default: words }]) =>
    Object.keys(words).map((key) => [key, /(\w+)\.ts$/.exec(path)![1]!] as const),
  ),
)
/** Attributes and props that people see or hear. */
const SAID = /^(aria-(label|description|roledescription|valuetext)|placeholder|title|alt)$/
const SAID_PROPS = /^(label|hint|error|fix|text|lead|legend|summary)$/
const LETTERS = /\p{L}{2}/u
const LITERAL = /^\s*(['"`])([^'"`$]*)\1\s*$/

type Node = RootNode | TemplateChildNode
const TEXT = 2
const ELEMENT = 1
const ATTRIBUTE = 6
const DIRECTIVE = 7

/** Words in a template that are no message, with where they stand. */
export function strays(template: string): string[] {
  const found: string[] = []
  const visit = (node: Node): void => {
    if (node.type === TEXT && LETTERS.test(node.content)) found.push(node.content.trim())
    if (node.type === ELEMENT) {
      for (const prop of node.props) {
        const bound = prop.type === DIRECTIVE && prop.name === 'bind'
        const name = bound && prop.arg && 'content' in prop.arg ? prop.arg.content : prop.name
        if (!SAID.test(name) && !SAID_PROPS.test(name)) continue
        const exp = bound && prop.exp && 'content' in prop.exp ? prop.exp.content : ''
        const said = prop.type === ATTRIBUTE ? prop.value?.content : LITERAL.exec(exp)?.[2]
        if (said && LETTERS.test(said)) found.push(`${name}="${said}"`)
      }
    }
    if ('children' in node) for (const child of node.children) visit(child as Node)
  }
  visit(parse(template, { parseMode: 'sfc' }))
  return found
}
const templateOf = (vue: string) => /^<template>[\s\S]*^<\/template>/m.exec(vue)?.[0] ?? ''
const scriptOf = (path: string, text: string) =>
  path.endsWith('.vue') ? (/<script[\s\S]*?<\/script>/.exec(text)?.[0] ?? '') : text

it('finds words in templates that are no message', () => {
  const bad = `<template><div><p>Hello {{ x }}</p><input placeholder="Your name" />
    <AppMenu :label="'Menu'" label-hidden /><img alt="A cat"><i class="not this">·</i></div></template>`
  expect(strays(bad)).toEqual([
    'Hello', 'placeholder="Your name"', 'label="Menu"', 'alt="A cat"',
  ])
  expect(strays(`<template><p :title="t('a.b')">{{ t('c') }}</p></template>`)).toEqual([])
})

it('has none in the templates of the app', () => {
  const all = Object.entries(sources)
    .filter(([path]) => path.endsWith('.vue'))
    .flatMap(([path, text]) => strays(templateOf(text)).map((stray) => `${path}: ${stray}`))
  expect(all).toEqual([])
})

/** Two words and a capital: a sentence, unless it is an error that nobody sees. */
const SENTENCE = /(['"`])(\p{Lu}\p{Ll}+ \p{L}[^'"`\n]*)\1/gu
function sentences(script: string): string[] {
  const said = script
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    .replace(/new (\w*Error|Lost)\([^)]*\)/g, '')
  return [...said.matchAll(SENTENCE)].map(([, , text]) => text!)
}

it('finds sentences in scripts', () => {
  expect(sentences(`announce('Your lab is ready')`)).toEqual(['Your lab is ready'])
  expect(sentences(`throw new Error('No chunk') // 'Said in passing'`)).toEqual([])
})

it('has none in the scripts of the app', () => {
  const all = Object.entries(sources).flatMap(([path, text]) =>
    sentences(scriptOf(path, text)).map((sentence) => `${path}: ${sentence}`),
  )
  expect(all).toEqual([])
})

/** Keys in quotes, and the beginnings of those put together, as in t(`state.${phase}`). */
function keysIn(text: string): { whole: string[]; begun: string[] } {
  const whole = [...text.matchAll(/['"`]([a-z][\w.]*)['"`]/g)].map(([, key]) => key!)
  const begun = [...text.matchAll(/`([a-z][\w.]*\.)\$\{/g)].map(([, key]) => key!)
  return { whole: whole.filter((key) => areaOf.has(key)), begun }
}

it('has no message that nothing says', () => {
  const { whole, begun } = keysIn(Object.values(sources).join('\n'))
  const used = new Set(whole)
  const idle = [...areaOf.keys()].filter(
    (key) => !used.has(key) && !begun.some((start) => key.startsWith(start)),
  )
  expect(idle).toEqual([])
})

/** What a file says that is in none of these areas. */
function unsaid(path: string, areas: ReadonlySet<string>): string[] {
  const { whole } = keysIn((sources[path] ?? '').replace(/\/\*[\s\S]*?\*\//g, ''))
  const said = whole.filter((key) => key.includes('.'))
  return said.filter((key) => !areas.has(areaOf.get(key)!)).map((key) => `${path}: ${key}`)
}

it.each(addresses.map((one) => [one.name, one] as const))(
  'has on the page %s all the words it can say',
  (_name, one) => {
    const areas = new Set(['shared', ...one.words])
    const starts = [`pages/${one.page}.vue`, 'App.vue', ...one.ahead]
    const files = [...new Set(starts.flatMap((start) => [...reach(start)]))]
    expect(files.flatMap((path) => unsaid(path, areas))).toEqual([])
    // Words may come later, with what says them.
    for (const bringer of files.filter((path) => brings(path).length > 0)) {
      const more = new Set([...areas, ...brings(bringer)])
      const parts = later(bringer).flatMap((start) => [...reach(start)])
      expect(parts.flatMap((path) => unsaid(path, more))).toEqual([])
    }
  },
)
