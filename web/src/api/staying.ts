/** Saying that somebody is there, when a lab is about to end because nobody types. */
import { useMutation, useQueryClient } from '@tanstack/vue-query'
import type { LabPlace } from './calls'
import { client, take } from './client'
import { keys } from './queries'

/** Safe to repeat: it is as true the second time. */
export function useStay(place: LabPlace) {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: ['stay'],
    mutationFn: () =>
      take(
        client.POST('/v1/classes/{class_id}/labs/{lab}/sandbox/stay', {
          params: { path: { class_id: place.classId, lab: place.lab } },
        }),
      ),
    onSuccess: (answer) => queries.setQueryData(keys.sandbox(place), answer),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.sandbox(place) }),
  })
}
