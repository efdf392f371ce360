/**
 * The first line of a lab's page, dialled as soon as the lab is known to be ready, while what draws
 * a terminal is still being made: on a slow line that is half a second.
 */
import * as calls from '@/api/calls'
import { turn } from '@/turn'
import { lines } from './directly'

/** A ticket lasts a minute. */
const FRESH_MS = 30_000

export type Ahead = {
  /** The ticket, once; undefined when there is none to be had: ask for another. */
  ticket: () => Promise<{ ticket: string; url: string }> | undefined
  /** The socket of that ticket, once; undefined when it is not there (any more): dial anew. */
  socket: (url: string) => WebSocket | undefined
}

/** Nobody need take it: a server hangs up on who says nothing for some seconds. */
export function dialAhead(place: calls.LabPlace): Ahead {
  const { lead, socket: dial } = lines()
  const begun = Date.now()
  let socket: WebSocket | undefined
  let ticket: ReturnType<Ahead['ticket']> = turn() // the page is being drawn
    .then(() => calls.ticket(place, { for: 'terminal' }))
    .then((given) => {
      const led = lead(given)
      socket = dial(led.url)
      return led
    })
  ticket.catch(() => undefined) // whoever takes it hears of that
  return {
    ticket() {
      const taken = Date.now() - begun < FRESH_MS ? ticket : undefined
      ticket = undefined
      return taken
    },
    socket(url) {
      const taken = socket
      socket = undefined
      const open = taken && taken.readyState <= WebSocket.OPEN
      return open && taken.url === url ? taken : undefined
    },
  }
}
