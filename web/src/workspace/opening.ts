/**
 * What the guide asks the workbench to show: a file in the editor, or a web page of the lab. The
 * lab page turns to the tab named in the wish; the editor or the preview takes what is in it.
 */
import { readonly, shallowRef } from 'vue'

export const EDITOR_TAB = 'editor'
export type FileWish = { machine: string; path: string; line: number | null }
export type PortWish = { machine: string; port: number }
/** `number` grows with each wish, so that the same thing can be asked for twice. */
export type Wish = { tab: string; number: number } & (
  | ({ kind: 'file' } & FileWish)
  | ({ kind: 'port' } & PortWish)
)

const latest = shallowRef<Wish | null>(null)
/** The wish made last; null until there was one. */
export const wanted = readonly(latest)
let count = 0

/** Show a file in the editor, at a line (from 1) if one is given. */
export function openFile(file: FileWish): void {
  latest.value = { kind: 'file', tab: EDITOR_TAB, number: (count += 1), ...file }
}

/** Show what a port of a machine serves. */
export function openPort(target: PortWish): void {
  latest.value = { kind: 'port', tab: portTab(target), number: (count += 1), ...target }
}

/** The id of the tab that shows a port. */
export function portTab({ machine, port }: PortWish): string {
  return `port:${machine}:${port}`
}

/** Nothing is wished for: another lab is on the page. */
export function forgetWishes(): void {
  latest.value = null
}
