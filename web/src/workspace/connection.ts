/** One word for how the line to the lab is, for the chip and the banner. */
import type { TerminalView } from '@/terminal/session'

export type Connection = 'none' | 'connecting' | 'connected' | 'reconnecting' | 'ended'

export function connection(view: TerminalView | undefined): Connection {
  switch (view?.state.name) {
    case 'open':
      return 'connected'
    case 'connecting':
      return view.everOpen || view.state.attempt > 0 ? 'reconnecting' : 'connecting'
    case 'stale':
    case 'waiting':
      return 'reconnecting'
    case 'ended':
      return 'ended'
    default:
      return 'none'
  }
}
