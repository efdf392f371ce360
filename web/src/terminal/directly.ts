/**
 * Whether rented machines can be reached from this network. After two lines that could not be
 * opened, the next ones go through the portal, and so do previews, whose frames tell no page how
 * they fare.
 */
const TRIES = 2
/**
 * A line that we leave sooner than this, for another one or for good, might still have opened.
 * The links wait for five seconds, in which the ticket must come too.
 */
const FAIR_MS = 2_500
/** After longer than this the page was asleep while it waited. */
const ASLEEP_MS = 15_000
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
  const begun = Date.now()
  let opened = false
  let left = false
  const close = socket.close.bind(socket)
  socket.close = (...why) => {
    left = Date.now() - begun < FAIR_MS
    close(...why)
  }
  socket.addEventListener('open', () => {
    opened = true
    failures = 0
  })
  socket.addEventListener('close', () => {
    if (opened || left || Date.now() - begun > ASLEEP_MS) return
    // Without any network nobody can tell which way is the better one.
    if (navigator.onLine) failures += 1
  })
}
