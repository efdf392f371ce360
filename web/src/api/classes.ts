/** Making and changing classes, and who is expected in them. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { client, take } from './client'
import { keys } from './queries'
import type { components } from './schema'
import { CLASS, ofClass, trainerKeys } from './trainer'

type S = components['schemas']
export type ClassBody = S['ClassBody']
export type ClassChange = S['ClassChange']
export type PersonBody = S['PersonBody']

const MINUTE = 60_000
const catalogueKey = ['catalogue'] as const
const rosterKey = (classId: string) => ['roster', classId] as const

export function useCatalogue() {
  return useQuery({
    queryKey: catalogueKey,
    queryFn: ({ signal }) => take(client.GET('/v1/labs', { signal })),
    staleTime: 5 * MINUTE,
  })
}

export function useRoster(classId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => rosterKey(toValue(classId))),
    queryFn: ({ signal }) =>
      take(client.GET(`${CLASS}/roster`, { params: ofClass(toValue(classId)), signal })),
    refetchInterval: 15_000,
  })
}

/** `body.key` is made once a form, so that a retry makes no second class. */
export function useCreateClass() {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: ['create-class'],
    mutationFn: (body: ClassBody) => take(client.POST('/v1/classes', { body })),
    onSuccess: (made) => {
      queries.setQueryData(trainerKeys.setup(made.id), made)
      void queries.invalidateQueries({ queryKey: keys.session })
      return queries.invalidateQueries({ queryKey: keys.classes })
    },
  })
}

/** `change.version` is the one the page showed: two trainers do not overwrite each other. */
export function useChangeClass(classId: MaybeRefOrGetter<string>) {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: ['change-class'],
    mutationFn: (body: ClassChange) =>
      take(client.PATCH(`${CLASS}/setup`, { params: ofClass(toValue(classId)), body })),
    onSuccess: (changed) => {
      queries.setQueryData(trainerKeys.setup(changed.id), changed)
      void queries.invalidateQueries({ queryKey: keys.session })
      void queries.invalidateQueries({ queryKey: keys.classPage(changed.id) })
      return queries.invalidateQueries({ queryKey: keys.classes })
    },
  })
}

export function useExpect(classId: MaybeRefOrGetter<string>) {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: ['expect'],
    mutationFn: (people: PersonBody[]) =>
      take(
        client.PUT(`${CLASS}/roster`, { params: ofClass(toValue(classId)), body: { people } }),
      ),
    onSuccess: (answer) =>
      queries.setQueryData(rosterKey(toValue(classId)), answer),
  })
}
