/** The real world of a line to a lab: tickets from the API, the browser's sockets, time, chance. */
import * as calls from '@/api/calls'
import { ApiProblem } from '@/api/problem'
import type { TicketWish } from '@/api/types'
import { chance } from '@/chance'
import { lines } from './directly'
import { TicketRefused, type LinkWorld } from './link'

type For = TicketWish['for']

/** `place.student` is set when a trainer comes to a student's lab. */
export function browserWorld(place: calls.LabPlace, what: For = 'terminal'): LinkWorld {
  const { lead, socket } = lines()
  return {
    ticket: async (signal) => {
      try {
        return lead(await calls.ticket(place, { for: what }, signal))
      } catch (error) {
        throw refusal(error) ?? error
      }
    },
    socket,
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
