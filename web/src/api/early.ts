/**
 * What index.html asked the API before any script had come (see delivery/preloads.ts). Whoever asks
 * for the same first takes that answer; after that the API is asked anew. So it is where the answer
 * is old, or where something was sent meanwhile, which may have changed it: a page that nobody was
 * signed in on must not be what the next page goes by.
 */
export const ACCEPT = 'application/json, application/problem+json'
/** Nobody waits for an answer longer than this. */
export const LIMIT_MS = 20_000

/** When it was asked, and its answer, the body of it, and when that was here. */
export type Asked = { left: number; back: Promise<[Response, ArrayBuffer, number]> }

declare global {
  interface Window {
    early?: Map<string, Asked>
  }
}

/** The answer that is on its way already, or has just come. */
export function taken({ method, url }: Request): Asked | undefined {
  const { early } = window
  if (method !== 'GET') early?.clear()
  const found = early?.get(method + url)
  early?.delete(method + url)
  return found && Date.now() - found.left < LIMIT_MS ? found : undefined
}
