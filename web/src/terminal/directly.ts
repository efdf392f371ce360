/**
 * Whether rented machines can be reached from this network. After two lines that could not be
 * opened, the next ones go through the portal, and so do previews, whose frames tell no page how
 * they fare.
 */
const TRIES = 2
let failures = 0

type Ways = { url: string; relay?: string | null }

/** Where to go with a ticket. */
export function way({ url, relay }: Ways): string {
  return relay && failures >= TRIES ? relay : url
}

/** The lines of one terminal or editor: which way its tickets lead, and how its sockets fare. */
export function lines() {
  let direct = false
  return {
    lead<Ticket extends Ways>(ticket: Ticket): Ticket {
      const url = way(ticket)
      direct = Boolean(ticket.relay) && url !== ticket.relay
      return { ...ticket, url }
    },
    socket(url: string): WebSocket {
      const socket = new WebSocket(url)
      if (direct) listen(socket)
      return socket
    },
  }
}

function listen(socket: WebSocket): void {
  let opened = false
  socket.addEventListener('open', () => {
    opened = true
    failures = 0
  })
  socket.addEventListener('close', () => {
    // Without any network nobody can tell which way is the better one.
    if (!opened && navigator.onLine) failures += 1
  })
}
