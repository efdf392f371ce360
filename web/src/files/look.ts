/** How the editor looks: night-coloured in both themes, as the terminal beside it. */
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import type { Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

const theme = EditorView.theme(
  {
    '&': { height: '100%', backgroundColor: 'var(--term)', color: 'var(--term-ink)' },
    '&.cm-focused': { outline: 'none' },
    '.cm-scroller': {
      fontFamily: 'var(--font-mono)',
      fontVariantLigatures: 'none',
      lineHeight: '1.62',
      overscrollBehavior: 'contain',
    },
    '.cm-content': { padding: '12px 0 40vh', caretColor: '#ffc45c' },
    '.cm-line': { padding: '0 16px 0 10px' },
    '.cm-gutters': {
      backgroundColor: 'var(--term)',
      color: '#8b86a0',
      border: 'none',
      paddingLeft: '6px',
    },
    '.cm-activeLine': { backgroundColor: 'rgb(233 230 243 / 0.05)' },
    '.cm-activeLineGutter': { backgroundColor: 'transparent', color: 'var(--term-ink)' },
    '.cm-cursor': { borderLeft: '2px solid #ffc45c' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
      backgroundColor: '#4c4a7a',
    },
    '.cm-selectionBackground': { backgroundColor: '#35334f' },
    '.cm-content ::selection': { backgroundColor: '#4c4a7a' },
    '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': {
      backgroundColor: '#45425a',
      outline: 'none',
    },
    '.cm-wished': { backgroundColor: 'rgb(255 177 47 / 0.16)' },
    '.cm-panels': { backgroundColor: 'var(--term-2)', color: 'var(--term-ink)' },
    '.cm-panels.cm-panels-top': { borderBottom: '1px solid var(--term-line)' },
    '.cm-panel.cm-search': { padding: '8px 36px 8px 12px', fontFamily: 'var(--font-sans)' },
    '.cm-panel.cm-search label': { fontSize: '14px' },
    '.cm-panel.cm-search [name=close]': { fontSize: '22px', right: '8px', color: 'inherit' },
    '.cm-textfield': {
      backgroundColor: 'var(--term)',
      border: '1px solid #45425a',
      borderRadius: '8px',
      padding: '6px 10px',
      fontSize: '16px',
    },
    '.cm-button': {
      backgroundImage: 'none',
      backgroundColor: 'var(--term-3)',
      border: 'none',
      borderRadius: '8px',
      padding: '7px 12px',
      fontSize: '14px',
    },
    '.cm-searchMatch': { backgroundColor: '#5a4a1e' },
    '.cm-searchMatch.cm-searchMatch-selected': { backgroundColor: '#8a6414' },
  },
  { dark: true },
)

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: '#c9a0ff' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: '#93dcb9' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: '#ffc45c' },
  { tag: [tags.comment, tags.meta], color: '#9a95b0', fontStyle: 'italic' },
  { tag: [tags.propertyName, tags.attributeName, tags.definition(tags.propertyName)],
    color: '#b9b4e6' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.labelName],
    color: '#8fa8ff' },
  { tag: [tags.tagName, tags.typeName, tags.className, tags.namespace], color: '#7ad6ff' },
  { tag: [tags.standard(tags.variableName), tags.self], color: '#7ad6ff' },
  { tag: tags.heading, color: '#ffc45c', fontWeight: '700' },
  { tag: tags.strong, fontWeight: '700' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: [tags.link, tags.url], color: '#8fa8ff', textDecoration: 'underline' },
  { tag: tags.invalid, color: '#ff8080' },
])

export const look: Extension = [theme, syntaxHighlighting(colours)]
