/** What only the dialogs of the board ask for: words to students, and a look at a terminal. */
import { useMutation } from '@tanstack/vue-query'
import { client, take } from './client'
import type { components } from './schema'
import { CLASS, ofClass, type StudentPlace } from './trainer'

type S = components['schemas']

/** A ticket for a student's terminal: to look on, or to type with them (`join`). */
export const watchTicket = (
  { classId, lab, student }: StudentPlace,
  body: S['WatchBody'],
  signal?: AbortSignal,
) =>
  take(
    client.POST('/v1/classes/{class_id}/labs/{lab}/sandbox/watch', {
      params: { path: { class_id: classId, lab }, query: { student } },
      body,
      signal,
    }),
  )

type Saying = { classId: string; key: string; text: string; students: string[] | null }
/** `students` null: everybody. `key` is made once a dialog, so that nobody reads it twice. */
export function useSay() {
  return useMutation({
    mutationKey: ['say'],
    mutationFn: ({ classId, ...body }: Saying) =>
      take(client.POST(`${CLASS}/messages`, { params: ofClass(classId), body })),
  })
}
