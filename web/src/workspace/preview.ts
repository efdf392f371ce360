/** Addresses of a preview: what a person types as its path, and the ticket's way there. */

/** "items?x=1" is "/items?x=1"; of a whole address only the path is taken. */
export function pathOf(typed: string): string {
  const text = typed.trim()
  if (/^https?:\/\//i.test(text)) {
    try {
      const { pathname, search, hash } = new URL(text)
      return pathname + search + hash
    } catch {
      return '/'
    }
  }
  return `/${text.replace(/^[/\\]+/, '')}`
}

/** The address that spends the ticket and goes on to `path`. */
export function entryAt(url: string, path: string): string {
  if (path === '/') return url
  const entry = new URL(url)
  entry.searchParams.set('to', path)
  return entry.href
}
