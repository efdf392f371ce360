/**
 * The terminals and the editor of the sandbox on this page. They live as long as the sandbox does
 * and the page is open; tabs, layouts and lost connections come and go around them.
 */
import { onScopeDispose, ref, shallowReactive, shallowRef, watch, type Ref } from 'vue'
import type { LabPlace } from '@/api/calls'
import type { SandboxView } from '@/api/types'
import type { EditorSession } from '@/files/session'
import { painted } from '@/paint'
import { pieceIsLost } from '@/reloading'
import { dialAhead, type Ahead } from '@/terminal/ahead'
import type { TerminalSession } from '@/terminal/session'
import { turn } from '@/turn'
import { forgetWishes } from './opening'
import { fontSize, screenReader } from './preferences'
import { keptShells, keepShells, nextShell } from './shells'

export type Terminals = {
  sessions: ReadonlyMap<string, TerminalSession>
  /** Make (once) and connect the terminal of this name; done when `sessions` has it. */
  open: (name: string) => Promise<void>
  /** Names of further shells, as `main~2`, in the order they were opened. */
  extras: Readonly<Ref<readonly string[]>>
  /** One more shell where the terminal of this name is; its name, or null when there are enough. */
  add: (beside: string) => string | null
  /** End a further shell. */
  close: (name: string) => void
  /** The editor, once it was opened. */
  editor: Readonly<Ref<EditorSession | null>>
  openEditor: () => Promise<void>
}

export const loadTerminal = () => import('@/terminal/line')

export function useTerminals(place: LabPlace, sandbox: () => SandboxView | null): Terminals {
  const sessions = shallowReactive(new Map<string, TerminalSession>())
  const asked = new Map<string, Promise<void>>()
  const extras = ref<string[]>([])
  const editor = shallowRef<EditorSession | null>(null)
  let of = ''
  let closed = false
  let ahead: Ahead | undefined

  function forget(): void {
    for (const session of sessions.values()) session.dispose()
    sessions.clear()
    asked.clear()
    editor.value?.dispose()
    editor.value = null
    ahead = undefined
    forgetWishes()
  }
  async function make(name: string): Promise<void> {
    const mine = of
    const { TerminalSession, browserWorld } = await loadTerminal()
    await painted() // making a screen is long work
    if (closed || mine !== of || sessions.has(name)) return
    const session = new TerminalSession(
      name,
      browserWorld(place, 'terminal', ahead),
      fontSize.value,
      screenReader.value,
    )
    ahead = undefined
    await turn() // and so is showing it
    if (closed || mine !== of) return session.dispose()
    sessions.set(name, session)
    if (sandbox()?.phase === 'ready') session.link.start()
  }
  async function makeEditor(): Promise<void> {
    const mine = of
    const [{ EditorSession }, { browserWorld }] = await Promise.all([
      import('@/files/session'),
      loadTerminal(),
    ])
    const view = sandbox()
    if (closed || mine !== of || !view || view.phase !== 'ready' || editor.value) return
    const machines = [...new Set(view.terminals.map(({ machine }) => machine))]
    editor.value = new EditorSession(view.id, machines, browserWorld(place, 'files'), tabStore())
  }
  function once(key: string, work: () => Promise<void>): Promise<void> {
    const before = asked.get(key)
    if (before) return before
    const making = work().catch(() => {
      asked.delete(key)
      pieceIsLost()
    })
    asked.set(key, making)
    return making
  }
  function setExtras(names: string[]): void {
    extras.value = names
    keepShells(tabStore(), of, names)
  }
  watch(
    () => [sandbox()?.id ?? '', sandbox()?.phase] as const,
    ([id, phase]) => {
      if (id !== of) {
        forget()
        of = id
        extras.value = keptShells(tabStore(), id)
      }
      if (phase === 'ready' && sessions.size === 0) ahead ??= dialAhead(place)
      const over = phase === 'stopping' || phase === 'gone'
      for (const session of sessions.values()) {
        if (phase === 'ready') session.link.start()
        else if (over) session.link.stop()
      }
      if (phase === 'ready' || over) editor.value?.run(!over)
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
  return {
    sessions,
    extras,
    editor,
    open: (name) => once(name, () => make(name)),
    openEditor: () => once('', makeEditor),
    add: (beside) => {
      const name = nextShell(beside, extras.value)
      if (name) setExtras([...extras.value, name])
      return name
    },
    close: (name) => {
      sessions.get(name)?.link.finish()
      sessions.get(name)?.dispose()
      sessions.delete(name)
      asked.delete(name)
      setExtras(extras.value.filter((one) => one !== name))
    },
  }
}

/** This tab's storage, or null where it is forbidden. */
function tabStore(): Storage | null {
  try {
    return window.sessionStorage
  } catch {
    return null
  }
}
