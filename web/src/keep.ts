/** The browser's storage, or null where it is forbidden (private windows, blocked cookies). */
export function keep(): Storage | null {
  try {
    window.localStorage.getItem('')
    return window.localStorage
  } catch {
    return null
  }
}
