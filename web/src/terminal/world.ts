/** The real world of a line to a lab: tickets from the API, the browser's sockets, time, chance. */
import * as calls from '@/api/calls'
import { ApiProblem } from '@/api/problem'
import type { TicketWish } from '@/api/types'
import { chance } from '@/chance'
import type { Ahead } from './ahead'
import { lines } from './directly'
import { TicketRefused, type LinkWorld } from './link'

type For = TicketWish['for']

/** `place.student` is set when a trainer comes to a student's lab. `ahead`: a line under way. */
export function browserWorld(
  place: calls.LabPlace,
  what: For = 'terminal',
  ahead?: Ahead,
): LinkWorld {
  const { lead, socket } = lines()
  return {
    ticket: async (signal) => {
      try {
        const early = ahead?.ticket()
        return await (early ?? calls.ticket(place, { for: what }, signal).then(lead))
      } catch (error) {
        throw refusal(error) ?? error
      }
    },
    socket: (url) => ahead?.socket(url) ?? socket(url),
    now: () => Date.now(),
    after: (ms, then) => {
      const timer = setTimeout(then, ms)
      return () => clearTimeout(timer)
    },
    chance,
  }
}

function refusal(error: unknown): TicketRefused | null {
  if (!(error instanceof ApiProblem)) return null
  if (error.status === 404 || error.status === 410) return new TicketRefused({ kind: 'gone' })
  const final = error.status === 401 || error.status === 403
  return final ? new TicketRefused({ kind: 'refused', reason: error.title }) : null
}
