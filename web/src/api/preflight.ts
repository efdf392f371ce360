/** Whether the clouds can have the machines of a class, as its trainer asks before it begins. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { client, take } from './client'
import type { components } from './schema'
import { CLASS, ofClass } from './trainer'

type S = components['schemas']
export type Preflight = S['PreflightAnswer']
export type Look = S['PreflightLook']
export type Finding = S['PreflightFinding']
export type Verdict = Finding['verdict']

const LOOKING_MS = 1_000
const keyOf = (classId: string) => ['preflight', classId] as const

/** Clouds are asked aside; while that goes on the answer is asked for again. */
export function usePreflight(classId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => keyOf(toValue(classId))),
    queryFn: ({ signal }) =>
      take(client.GET(`${CLASS}/preflight`, { params: ofClass(toValue(classId)), signal })),
    staleTime: 60_000,
    refetchInterval: ({ state }) => (state.data?.state === 'looking' ? LOOKING_MS : false),
  })
}

export function useLookAgain(classId: MaybeRefOrGetter<string>) {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: ['preflight'],
    mutationFn: () =>
      take(client.POST(`${CLASS}/preflight`, { params: ofClass(toValue(classId)), body: {} })),
    onSuccess: (answer) => queries.setQueryData(keyOf(toValue(classId)), answer),
  })
}
