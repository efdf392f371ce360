/** What a trainer reads and does: making classes, the roster, and the board's actions for many. */
import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import type { LabPlace } from './calls'
import { client, take } from './client'
import { keys } from './queries'
import type { components } from './schema'
import type { Board, BoardLab } from './types'

type S = components['schemas']
export type ClassBody = S['ClassBody']
export type ClassChange = S['ClassChange']
export type PersonBody = S['PersonBody']
export type Seat = S['Seat']
export type DatedSeat = S['DatedSeat']
export type StudentPlace = LabPlace & { student: string }

/** As many sandboxes as one request may carry. */
const MANY = 500
const MINUTE = 60_000
const CLASS = '/v1/classes/{class_id}'
const ofClass = (classId: string) => ({ path: { class_id: classId } })

/** A key for one press of a button: the server knows a repeated request by it. */
export function newKey(): string {
  const parts = crypto.getRandomValues(new Uint32Array(4))
  return Array.from(parts, (part) => part.toString(36).padStart(7, '0')).join('')
}

export const trainerKeys = {
  catalogue: ['catalogue'] as const,
  setup: (classId: string) => ['setup', classId] as const,
  roster: (classId: string) => ['roster', classId] as const,
}

/** The board as a spreadsheet; a plain link, for the browser saves it. */
export const boardTable = (classId: string) => `/v1/classes/${classId}/board.csv`

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

export function useCatalogue() {
  return useQuery({
    queryKey: trainerKeys.catalogue,
    queryFn: ({ signal }) => take(client.GET('/v1/labs', { signal })),
    staleTime: 5 * MINUTE,
  })
}

/** `every` (ms): how often to look again; the projector counts who comes in. */
export function useSetup(classId: MaybeRefOrGetter<string>, every: number | false = false) {
  return useQuery({
    queryKey: computed(() => trainerKeys.setup(toValue(classId))),
    queryFn: ({ signal }) =>
      take(client.GET(`${CLASS}/setup`, { params: ofClass(toValue(classId)), signal })),
    staleTime: 30_000,
    refetchInterval: every,
  })
}

export function useRoster(classId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => trainerKeys.roster(toValue(classId))),
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
      queries.setQueryData(trainerKeys.roster(toValue(classId)), answer),
  })
}

// --- what is done for many ---
function parts<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / MANY)
  return Array.from({ length: count }, (_, at) => all.slice(at * MANY, (at + 1) * MANY))
}

/** Show on the board at once what these sandboxes will be. */
function foresee(
  queries: QueryClient,
  classId: string,
  seats: readonly Seat[] | null,
  change: (lab: BoardLab) => BoardLab,
): void {
  const wanted = seats && new Set(seats.map(({ student, lab }) => `${student} ${lab}`))
  queries.setQueryData<Board>(keys.board(classId), (board) => board && {
    ...board,
    students: board.students.map((student) => ({
      ...student,
      labs: Object.fromEntries(
        Object.entries(student.labs).map(([name, lab]) => {
          const meant = !wanted || wanted.has(`${student.id} ${name}`)
          return [name, meant && lab.phase === 'ready' ? change(lab) : lab]
        }),
      ),
    })),
  })
}

type Extending = { classId: string; minutes: number; sandboxes: DatedSeat[] }
/** The deadlines on screen travel in the variables, so a retry extends once. */
export function useExtendMany() {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: ['extend-many'],
    mutationFn: async ({ classId, minutes, sandboxes }: Extending) => {
      let count = 0
      for (const some of parts(sandboxes)) {
        const body = { minutes, sandboxes: some }
        const asked = client.POST(`${CLASS}/extend`, { params: ofClass(classId), body })
        count += (await take(asked)).count
      }
      return count
    },
    onMutate: async ({ classId, minutes, sandboxes }) => {
      await queries.cancelQueries({ queryKey: keys.board(classId) })
      foresee(queries, classId, sandboxes, (lab) => ({
        ...lab,
        deadline_at: lab.deadline_at ? lab.deadline_at + minutes * MINUTE : null,
      }))
    },
    onSettled: (_count, _problem, { classId }) =>
      queries.invalidateQueries({ queryKey: keys.board(classId) }),
  })
}

type Stopping = { classId: string; sandboxes: Seat[] | null }
/** `sandboxes` null: all of the class. Stopping what is stopped changes nothing. */
export function useStopMany() {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: ['stop-many'],
    mutationFn: async ({ classId, sandboxes }: Stopping) => {
      let count = 0
      for (const some of sandboxes ? parts(sandboxes) : [null]) {
        const body = { sandboxes: some }
        const asked = client.POST(`${CLASS}/stop`, { params: ofClass(classId), body })
        count += (await take(asked)).count
      }
      return count
    },
    onMutate: async ({ classId, sandboxes }) => {
      await queries.cancelQueries({ queryKey: keys.board(classId) })
      foresee(queries, classId, sandboxes, (lab) => ({ ...lab, phase: 'stopping' }))
    },
    onSettled: (_count, _problem, { classId }) =>
      queries.invalidateQueries({ queryKey: keys.board(classId) }),
  })
}

type Saying = { classId: string; key: string; text: string; students: string[] | null }
/** `students` null: everybody. `key` is made once a dialog, so that nobody reads it twice. */
export function useSay() {
  return useMutation({
    mutationKey: ['say'],
    mutationFn: ({ classId, ...body }: Saying) =>
      take(client.POST(`${CLASS}/messages`, { params: ofClass(classId), body })),
  })
}

export function useLowerHand() {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: ['lower-hand'],
    mutationFn: ({ classId, lab, student }: StudentPlace) =>
      take(
        client.DELETE('/v1/classes/{class_id}/labs/{lab}/hand', {
          params: { path: { class_id: classId, lab }, query: { student } },
        }),
      ),
    onMutate: async ({ classId, student }) => {
      await queries.cancelQueries({ queryKey: keys.board(classId) })
      queries.setQueryData<Board>(keys.board(classId), (board) => board && {
        ...board,
        students: board.students.map((one) =>
          one.id === student && one.need?.kind === 'hand' ? { ...one, need: null } : one),
      })
    },
    onSettled: (_answer, _problem, { classId }) =>
      queries.invalidateQueries({ queryKey: keys.board(classId) }),
  })
}
