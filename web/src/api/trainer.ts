/** What a trainer reads of a class and does on its board, for one or for many. */
import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import type { LabPlace } from './calls'
import { client, take } from './client'
import { keys } from './queries'
import type { components } from './schema'
import type { Board, BoardLab } from './types'

export { newKey } from '@/chance'
type S = components['schemas']
export type Seat = S['Seat']
export type DatedSeat = S['DatedSeat']
export type StudentPlace = LabPlace & { student: string }

/** As many sandboxes as one request may carry. */
const MANY = 500
const MINUTE = 60_000
export const CLASS = '/v1/classes/{class_id}'
export const ofClass = (classId: string) => ({ path: { class_id: classId } })

export const trainerKeys = {
  setup: (classId: string) => ['setup', classId] as const,
}

/** The board as a spreadsheet; a plain link, for the browser saves it. */
export const boardTable = (classId: string) => `/v1/classes/${classId}/board.csv`

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
