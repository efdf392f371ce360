/**
 * A step's HTML as a page may show it. The server sanitised it when the lab was published; this is
 * the second line of defence. Command blocks are taken out so that real buttons take their place.
 */
import { allowed } from './allowed'

export type Command = {
  /** `type` leaves the Enter to the person. */
  verb: 'run' | 'copy' | 'type'
  text: string
  terminal: string | null
  /** Whether what runs there is interrupted first (Control C), and the screen cleared. */
  interrupt: boolean
  clear: boolean
  /** The empty element, already in its place in the fragment, that the block is drawn into. */
  host: HTMLElement
}
export type Parts = { fragment: DocumentFragment; commands: Command[] }

function verbOf(pre: HTMLElement): Command['verb'] {
  if (pre.hasAttribute('data-run')) return 'run'
  return pre.hasAttribute('data-type') ? 'type' : 'copy'
}

export function parts(html: string): Parts {
  const fragment = allowed(html)
  const commands: Command[] = []
  for (const pre of fragment.querySelectorAll<HTMLElement>('pre.command')) {
    const host = document.createElement('div')
    commands.push({
      verb: verbOf(pre),
      text: (pre.textContent ?? '').replace(/\n$/, ''),
      terminal: pre.dataset.terminal || null,
      interrupt: pre.hasAttribute('data-interrupt'),
      clear: pre.hasAttribute('data-clear'),
      host,
    })
    pre.replaceWith(host)
  }
  return { fragment, commands }
}

/** About what is read in a phone's height: laying it out takes a frame of a slow device. */
const PIECE_LETTERS = 320

/** The fragment's contents in pieces, from the top; it is empty then. A command ends a piece. */
export function pieces({ fragment, commands }: Parts): Node[][] {
  const hosts = new Set<Node>(commands.map(({ host }) => host))
  const found: Node[][] = []
  let piece: Node[] = []
  let letters = 0
  for (const node of [...fragment.childNodes]) {
    piece.push(node)
    letters += node.textContent?.length ?? 0
    if (letters < PIECE_LETTERS && !hosts.has(node) && node !== fragment.lastChild) continue
    found.push(piece)
    piece = []
    letters = 0
  }
  fragment.replaceChildren()
  return found
}

/** HTML without commands (a choice, an explanation), clean, as text for `v-html`. */
export function clean(html: string): string {
  const holder = document.createElement('div')
  holder.append(allowed(html))
  return holder.innerHTML
}

/** What a link of the guide asks for. */
export type Wish =
  | { kind: 'step'; id: string }
  | { kind: 'port'; machine: string; port: number }
  | { kind: 'file'; machine: string; path: string; line: number | null }

/** What pressing here means to the workspace; null for everything that is an ordinary link. */
export function wishOf(target: Element): Wish | null {
  const link = target.closest<HTMLElement>('a[data-step], a[data-port], a[data-file]')
  if (!link) return null
  const { step, port, file, line, machine = '' } = link.dataset
  if (step) return { kind: 'step', id: step }
  if (port) return { kind: 'port', machine, port: Number(port) }
  return file ? { kind: 'file', machine, path: file, line: Number(line) || null } : null
}
