/** Arrow keys, Home and End among the tabs of a tablist. They move the focus; Enter chooses. */
export function moveAmongTabs(event: KeyboardEvent): void {
  const list = event.currentTarget as HTMLElement
  const tabs = [...list.querySelectorAll<HTMLElement>('[role="tab"]')]
  const at = tabs.indexOf(document.activeElement as HTMLElement)
  const places: Readonly<Record<string, number>> = {
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    Home: 0,
    End: tabs.length - 1,
  }
  const next = places[event.key]
  if (next === undefined || at < 0) return
  event.preventDefault()
  tabs[(next + tabs.length) % tabs.length]?.focus()
}
