/**
 * Keys that work wherever the focus is, a terminal included: Control and Alt (on an iPad or a Mac
 * Control and Option) with a digit for a tab, or G for the guide. Nothing else uses them.
 */
export type Place = { kind: 'tab'; number: number } | { kind: 'guide' }

/** What a key press asks for. `code` is the place of the key, so layouts do not matter. */
export function placeOf(event: KeyboardEvent): Place | null {
  if (!event.ctrlKey || !event.altKey || event.shiftKey || event.metaKey) return null
  if (event.getModifierState('AltGraph')) return null // types a character on many keyboards
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)
  if (digit) return { kind: 'tab', number: Number(digit[1]) }
  return event.code === 'KeyG' ? { kind: 'guide' } : null
}

/** Listen before xterm does. Returns what ends it. */
export function watchShortcuts(go: (place: Place) => void): () => void {
  const pressed = (event: KeyboardEvent) => {
    const place = placeOf(event)
    if (!place) return
    event.preventDefault()
    event.stopPropagation()
    go(place)
  }
  window.addEventListener('keydown', pressed, true)
  return () => window.removeEventListener('keydown', pressed, true)
}

/** The keys in words, as they are printed on this person's keyboard. */
export function keyWords(key: string, apple: boolean): string {
  return apple ? `⌃ ⌥ ${key}` : `Ctrl + Alt + ${key}`
}

export const isApple = /Mac|iPhone|iPad/.test(navigator.platform ?? '')
