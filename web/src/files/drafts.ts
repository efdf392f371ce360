/**
 * What is open in the editor, and text that is not saved yet: kept in this tab, for one sandbox,
 * so that a reload loses nothing. A tab's storage is small; what does not fit is left out.
 */
export type Draft = { text: string; version: string | null }
export type Kept = {
  open: { machine: string; path: string }[]
  active: string | null
  drafts: Record<string, Draft>
}

const PREFIX = 'brihaspati.editor.'

export function recall(store: Storage | null, sandbox: string): Kept {
  try {
    const kept = JSON.parse(store?.getItem(PREFIX + sandbox) ?? '') as Kept
    if (Array.isArray(kept.open) && kept.drafts) return kept
  } catch {
    // Nothing kept, or nothing that can be read.
  }
  return { open: [], active: null, drafts: {} }
}

/** Keep it. False when the drafts did not fit. */
export function remember(store: Storage | null, sandbox: string, kept: Kept): boolean {
  if (!store) return false
  forgetOthers(store, sandbox)
  try {
    store.setItem(PREFIX + sandbox, JSON.stringify(kept))
    return true
  } catch {
    return keepLess(store, sandbox, kept)
  }
}

function keepLess(store: Storage, sandbox: string, kept: Kept): boolean {
  try {
    store.setItem(PREFIX + sandbox, JSON.stringify({ ...kept, drafts: {} }))
  } catch {
    store.removeItem(PREFIX + sandbox)
  }
  return false
}

/** Sandboxes that are gone do not come back; their drafts only take room. */
function forgetOthers(store: Storage, sandbox: string): void {
  for (let at = store.length - 1; at >= 0; at -= 1) {
    const key = store.key(at)
    if (key?.startsWith(PREFIX) && key !== PREFIX + sandbox) store.removeItem(key)
  }
}
