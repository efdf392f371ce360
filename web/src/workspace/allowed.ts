/**
 * What may be in a step's HTML, built anew from a list of what labs can have. The server made and
 * cleaned it when the lab was published, and the page's policy forbids foreign scripts; this keeps
 * out what should never have come that far. Nothing is taken over: elements are made one by one.
 */
const TAGS = new Set(
  ('h2 h3 h4 h5 h6 p ul ol li em strong s a img br hr blockquote pre code span div ' +
    'table thead tbody tr th td').split(' '),
)
const ANYWHERE = new Set(['class', 'title', 'role', 'tabindex'])
const OWN: Readonly<Record<string, ReadonlySet<string>>> = {
  a: new Set(['href', 'target', 'rel']),
  img: new Set(['src', 'alt']),
  ol: new Set(['start']),
}
const ADDRESSES: Readonly<Record<string, RegExp>> = {
  href: /^(https?:|mailto:|#)/i,
  src: /^data:image\/(png|jpeg|gif|webp);base64,/,
}

function mayHave(tag: string, name: string, value: string): boolean {
  if (ADDRESSES[name] && !ADDRESSES[name].test(value)) return false
  return name.startsWith('data-') || ANYWHERE.has(name) || (OWN[tag]?.has(name) ?? false)
}

function copy(from: ParentNode & Node, into: Node): void {
  for (const node of from.childNodes) {
    if (node instanceof Text) into.appendChild(document.createTextNode(node.data))
    if (!(node instanceof HTMLElement)) continue // nor SVG, MathML, comments
    const tag = node.localName
    if (!TAGS.has(tag)) continue
    const made = document.createElement(tag)
    for (const { name, value } of node.attributes) {
      if (mayHave(tag, name, value)) made.setAttribute(name, value)
    }
    copy(node, made)
    into.appendChild(made)
  }
}

/** Everything allowed in it, in a fragment of this document; the rest is left out whole. */
export function allowed(html: string): DocumentFragment {
  // What is parsed like this runs nothing and fetches nothing.
  const parsed = new DOMParser().parseFromString(html, 'text/html')
  const fragment = document.createDocumentFragment()
  copy(parsed.body, fragment)
  return fragment
}
