/** Further shells beside the terminals of a lab: `main~2` is a second one where `main` is. */
const PREFIX = 'brihaspati.shells.'
const MOST = 5

/** The next free name, or null when there are enough. */
export function nextShell(beside: string, taken: readonly string[]): string | null {
  if (taken.length >= MOST) return null
  for (let number = 2; number <= 9; number += 1) {
    const name = `${beside}~${number}`
    if (!taken.includes(name)) return name
  }
  return null
}

/** "main~2" as a person would say it. */
export function shellTitle(name: string): string {
  return name.replace('~', ' ')
}

/** Beside which terminal it is; the name itself for a terminal of the lab. */
export function besideWhich(name: string): string {
  return name.split('~')[0] ?? name
}

export function keptShells(store: Storage | null, sandbox: string): string[] {
  try {
    const kept: unknown = JSON.parse(store?.getItem(PREFIX + sandbox) ?? '[]')
    return Array.isArray(kept) ? kept.filter((one) => typeof one === 'string') : []
  } catch {
    return []
  }
}

export function keepShells(store: Storage | null, sandbox: string, names: string[]): void {
  try {
    store?.setItem(PREFIX + sandbox, JSON.stringify(names))
  } catch {
    // Full or forbidden: after a reload the tabs are those of the lab.
  }
}
