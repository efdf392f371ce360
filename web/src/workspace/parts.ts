/**
 * A step's HTML as a page may show it. The server sanitised it when the lab was published; this is
 * the second line of defence. Command blocks are taken out so that real buttons take their place.
 */
import createPurify from 'dompurify'

export type Command = {
  verb: 'run' | 'copy'
  text: string
  terminal: string | null
  /** The empty element, already in its place in the fragment, that the block is drawn into. */
  host: HTMLElement
}
export type Parts = { fragment: DocumentFragment; commands: Command[] }

const RULES = {
  RETURN_DOM_FRAGMENT: true as const,
  ADD_ATTR: ['target'],
  ADD_URI_SAFE_ATTR: ['target', 'rel', 'tabindex', 'start'],
  FORBID_TAGS: ['style', 'form', 'input', 'button', 'iframe', 'svg', 'math', 'video', 'audio'],
  FORBID_ATTR: ['style', 'id', 'name'],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#|data:image\/(?:png|jpeg|gif|webp);base64,)/i,
}

export function parts(html: string): Parts {
  const fragment = createPurify(window).sanitize(html, RULES)
  const commands: Command[] = []
  for (const pre of fragment.querySelectorAll<HTMLElement>('pre.command')) {
    const host = document.createElement('div')
    const verb = pre.hasAttribute('data-run') ? 'run' : 'copy'
    const text = (pre.textContent ?? '').replace(/\n$/, '')
    commands.push({ verb, text, terminal: pre.dataset.terminal || null, host })
    pre.replaceWith(host)
  }
  return { fragment, commands }
}
