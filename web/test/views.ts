import type { LabCard, SandboxView } from '@/api/types'

export function view(over: Partial<SandboxView> = {}): SandboxView {
  return {
    id: 's1', phase: 'ready', reason: null, asked_at: 0, ready_at: 1, deadline_at: null,
    idle_at: null, ended_at: null, extend_minutes: 15, extensions_left: 4,
    machines: [{ name: 'lab', state: 'usable' }], terminals: [{ name: 'main', machine: 'lab' }],
    ports: [], stage: 'Ready', seconds_expected: 10, ahead: 0, ...over,
  }
}

export function card(over: Partial<LabCard> = {}): LabCard {
  return {
    name: 'web', title: 'HTTP by hand', summary: 'Speak HTTP.', minutes: 40, steps: 6, hue: 200,
    motif: 'web', machines: 1, lifetime_minutes: 60, done: 0, step: 0, sandbox: null,
    ...over,
  }
}
