/** The tabs of the workbench, in their order: terminals, then published ports. */
import { Globe, SquareTerminal } from '@lucide/vue'
import type { Component } from 'vue'
import type { PortView, SandboxView } from '@/api/types'

export type Tab = { id: string; title: string; icon: Component; badge?: string } & (
  | { kind: 'terminal'; terminal: string }
  | { kind: 'port'; port: PortView }
)

export function tabsOf(sandbox: SandboxView | null): Tab[] {
  if (!sandbox) return []
  const terminals = sandbox.terminals.map(({ name }) => ({
    id: `terminal:${name}`,
    kind: 'terminal' as const,
    title: name,
    icon: SquareTerminal,
    terminal: name,
  }))
  const ports = sandbox.ports.map((port) => ({
    id: `port:${port.machine}:${port.port}`,
    kind: 'port' as const,
    title: port.title,
    icon: Globe,
    badge: String(port.port),
    port,
  }))
  return [...terminals, ...ports]
}
