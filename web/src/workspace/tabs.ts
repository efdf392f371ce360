/** The tabs of the workbench, in their order: terminals, the editor, published ports. */
import { FileCode2, Globe, SquareTerminal } from '@lucide/vue'
import type { Component } from 'vue'
import type { PortView, SandboxView } from '@/api/types'
import { t } from '@/i18n'
import { EDITOR_TAB, portTab } from './opening'
import { besideWhich, shellTitle } from './shells'

export type Tab = { id: string; title: string; icon: Component; badge?: string } & (
  | { kind: 'terminal'; terminal: string; extra: boolean }
  | { kind: 'editor' }
  | { kind: 'port'; port: PortView }
)

/** `extras`: further shells that this person has opened. */
export function tabsOf(sandbox: SandboxView | null, extras: readonly string[] = []): Tab[] {
  if (!sandbox) return []
  const own = sandbox.terminals.map(({ name }) => name)
  const more = extras.filter((name) => own.includes(besideWhich(name)))
  const terminals = [...own, ...more].map((name) => ({
    id: terminalTab(name),
    kind: 'terminal' as const,
    title: shellTitle(name),
    icon: SquareTerminal,
    terminal: name,
    extra: !own.includes(name),
  }))
  const editor = { id: EDITOR_TAB, kind: 'editor' as const, title: t('editor'), icon: FileCode2 }
  const ports = sandbox.ports.map((port) => ({
    id: portTab(port),
    kind: 'port' as const,
    title: port.title,
    icon: Globe,
    badge: String(port.port),
    port,
  }))
  return [...terminals, ...(own.length > 0 ? [editor] : []), ...ports]
}

export function terminalTab(name: string): string {
  return `terminal:${name}`
}
