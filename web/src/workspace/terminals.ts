/**
 * The terminals of the sandbox on this page. They live as long as the sandbox does and the page is
 * open; tabs, layouts and lost connections come and go around them.
 */
import { onScopeDispose, shallowReactive, watch } from 'vue'
import type { LabPlace } from '@/api/calls'
import type { SandboxView } from '@/api/types'
import type { TerminalSession } from '@/terminal/session'
import { fontSize, screenReader } from './preferences'

export type Terminals = {
  sessions: ReadonlyMap<string, TerminalSession>
  /** Make (once) and connect the terminal of this name; done when `sessions` has it. */
  open: (name: string) => Promise<void>
}

export const loadTerminal = () => import('@/terminal/session')

export function useTerminals(place: LabPlace, sandbox: () => SandboxView | null): Terminals {
  const sessions = shallowReactive(new Map<string, TerminalSession>())
  const asked = new Map<string, Promise<void>>()
  let of = ''
  let closed = false

  function forget(): void {
    for (const session of sessions.values()) session.dispose()
    sessions.clear()
    asked.clear()
  }
  async function make(name: string): Promise<void> {
    const mine = of
    const { TerminalSession, browserWorld } = await loadTerminal()
    if (closed || mine !== of || sessions.has(name)) return
    const session = new TerminalSession(
      name,
      browserWorld(place),
      fontSize.value,
      screenReader.value,
    )
    sessions.set(name, session)
    if (sandbox()?.phase === 'ready') session.link.start()
  }
  function open(name: string): Promise<void> {
    const before = asked.get(name)
    if (before) return before
    const making = make(name).catch(() => void asked.delete(name))
    asked.set(name, making)
    return making
  }
  watch(
    () => [sandbox()?.id ?? '', sandbox()?.phase] as const,
    ([id, phase]) => {
      if (id !== of) {
        forget()
        of = id
      }
      for (const session of sessions.values()) {
        if (phase === 'ready') session.link.start()
        else if (phase === 'stopping' || phase === 'gone') session.link.stop()
      }
    },
    { immediate: true },
  )
  watch(fontSize, (pixels) => sessions.forEach((one) => one.screen.setFontSize(pixels)))
  watch(screenReader, (on) => {
    for (const one of sessions.values()) one.screen.terminal.options.screenReaderMode = on
  })
  onScopeDispose(() => {
    closed = true
    forget()
  })
  return { sessions, open }
}
