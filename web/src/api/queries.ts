/** What the pages read and write, with retry, polling and optimistic answers. */
import {
  QueryClient,
  useIsMutating,
  useMutation,
  useMutationState,
  useQuery,
  useQueryClient,
} from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter, type Ref } from 'vue'
import { serverClock } from '@/clock'
import * as calls from './calls'
import { retryDelay, worthKeeping, worthRetrying } from './patience'
import { asProblem } from './problem'
import { settled } from './standing'
import type { LabPage, Phase, SandboxNow, SandboxView } from './types'

export type { LabPlace } from './calls'
export { retryDelay } from './patience'
type LabPlace = calls.LabPlace
/** While a check runs, its verdict is what somebody waits for. */
const BUSY_MS = 700
/** Until the server has said how soon to look again. */
const RESTING_MS = 15_000
const BOARD_MS = 2_500
/** What Play hopes for is no news to ask about: its own answer is on the way. */
const HOPED_MS = 2_000

/** Kept presses are sent one after another: Play and then Stop never becomes Stop and then Play. */
const IN_ORDER = { id: 'sandbox' }

export function newQueryClient(chance: () => number): QueryClient {
  const again = {
    retryDelay: (attempt: number, error: unknown) => retryDelay(attempt, error, chance()),
    // Waiting for `navigator.onLine` would hang where it is wrong; a failed try tells the truth.
    networkMode: 'always' as const,
  }
  return new QueryClient({
    defaultOptions: {
      queries: { ...again, retry: worthRetrying, staleTime: 5_000 },
      mutations: { ...again, retry: worthKeeping },
    },
  })
}

export const keys = {
  session: ['session'] as const,
  classes: ['classes'] as const,
  classPage: (classId: string) => ['class', classId] as const,
  board: (classId: string) => ['board', classId] as const,
  lab: (place: LabPlace) => ['lab', place.classId, place.lab] as const,
  sandbox: (place: LabPlace) =>
    ['sandbox', place.classId, place.lab, place.student ?? 'me'] as const,
}

const MOVING: readonly Phase[] = ['queued', 'starting', 'stopping']
export const isMoving = (view: SandboxView | null | undefined) =>
  !!view && MOVING.includes(view.phase)
export const isAlive = (view: SandboxView | null | undefined) =>
  !!view && (isMoving(view) || view.phase === 'ready')

/** When a ready lab ends unless somebody does something: its time is up, or nobody types. */
export const endOf = ({ deadline_at, idle_at }: SandboxView) =>
  Math.min(deadline_at ?? Infinity, idle_at ?? Infinity)

/** How soon to ask about a sandbox again (ms): when the server said, and when its time is up. */
export function pollEvery(answer: SandboxNow | undefined, now: number): number {
  const view = answer?.sandbox
  if (isMoving(view) && !view?.id) return HOPED_MS
  const every = answer?.look_ms ?? RESTING_MS
  return view?.phase === 'ready' ? Math.min(every, Math.max(1_000, endOf(view) - now)) : every
}

export function useSession() {
  return useQuery({
    queryKey: keys.session,
    queryFn: ({ signal }) => calls.session(signal),
    staleTime: 60_000,
  })
}

/** `enabled`: whether somebody is signed in, as far as the page knows. */
export function useClasses(enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: keys.classes,
    queryFn: ({ signal }) => calls.classes(signal),
    enabled: () => toValue(enabled),
  })
}

export function useClassPage(classId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => keys.classPage(toValue(classId))),
    queryFn: ({ signal }) => calls.classPage(toValue(classId), signal),
    refetchInterval: (query) => query.state.data?.look_ms ?? RESTING_MS,
  })
}

export function useBoard(classId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => keys.board(toValue(classId))),
    queryFn: ({ signal }) => calls.board(toValue(classId), signal),
    refetchInterval: (query) => query.state.data?.look_ms ?? BOARD_MS,
  })
}

/** The guide; its sandbox is put where `useSandbox` looks, so one request opens the page. */
export function useLab(place: MaybeRefOrGetter<LabPlace>) {
  const client = useQueryClient()
  return useQuery({
    queryKey: computed(() => keys.lab(toValue(place))),
    queryFn: async ({ signal }) => {
      const at = toValue(place)
      const page = await calls.labPage(at, signal)
      const known = client.getQueryState(keys.sandbox(at))
      if (!at.student && !known?.data) client.setQueryData(keys.sandbox(at), sandboxIn(page))
      return page.lab
    },
    staleTime: 5 * 60_000,
  })
}

const sandboxIn = ({ sandbox, now, progress, messages, look_ms }: LabPage): SandboxNow => ({
  sandbox,
  now,
  progress,
  messages,
  look_ms,
})

/** `may`: false while another answer is awaited that brings the first look along. */
export function useSandbox(
  place: MaybeRefOrGetter<LabPlace>,
  may: MaybeRefOrGetter<boolean> = true,
) {
  const client = useQueryClient()
  return useQuery({
    enabled: () => toValue(may) || client.getQueryData(keys.sandbox(toValue(place))) !== undefined,
    queryKey: computed(() => keys.sandbox(toValue(place))),
    queryFn: async ({ signal }) => {
      const at = toValue(place)
      const answer = await calls.sandbox(at, signal)
      // A Play still on its way is not undone by a look that overtook it.
      const playing = client.isMutating({ mutationKey: ['play'] }) > 0
      const hope = client.getQueryData<SandboxNow>(keys.sandbox(at))
      if (playing && hope && !isAlive(answer.sandbox)) return hope
      return settled(hope, answer, client.isMutating({ mutationKey: ['run'] }) > 0)
    },
    refetchInterval: ({ state: { data } }) => {
      const every = pollEvery(data, serverClock.now())
      const runs = data?.progress?.busy ?? data?.progress?.watching
      return runs ? Math.min(BUSY_MS, every) : every
    },
  })
}

const NOTHING: SandboxNow = {
  sandbox: null,
  progress: null,
  messages: [],
  now: 0,
  look_ms: RESTING_MS,
}

/** What the screen shows the moment Play is pressed, before anybody answered. */
export function hoped(now: number, before: SandboxView | null | undefined): SandboxView {
  return {
    id: '',
    phase: 'queued',
    reason: null,
    asked_at: now,
    ready_at: null,
    deadline_at: null,
    idle_at: null,
    ended_at: null,
    extend_minutes: before?.extend_minutes ?? 0,
    extensions_left: 0,
    machines: [],
    terminals: [],
    ports: [],
    stage: '',
    seconds_expected: before?.seconds_expected ?? 0,
    ahead: 0,
  }
}

/** Play: safe to press twice and to retry, for it is a PUT of "a sandbox is here". */
export function usePlay() {
  const client = useQueryClient()
  return useMutation({
    mutationKey: ['play'],
    scope: IN_ORDER,
    mutationFn: (place: LabPlace) => calls.play(place),
    onMutate: async (place) => {
      await client.cancelQueries({ queryKey: keys.sandbox(place) })
      const before = client.getQueryData<SandboxNow>(keys.sandbox(place))
      if (isAlive(before?.sandbox)) return { before }
      const now = serverClock.now()
      client.setQueryData<SandboxNow>(keys.sandbox(place), {
        ...(before ?? NOTHING),
        sandbox: hoped(now, before?.sandbox),
        now,
      })
      return { before }
    },
    onSuccess: (answer, place) => client.setQueryData(keys.sandbox(place), answer),
    onError: (_problem, place, context) =>
      client.setQueryData(keys.sandbox(place), context?.before ?? NOTHING),
    onSettled: (_answer, _problem, place) =>
      client.invalidateQueries({ queryKey: keys.classPage(place.classId) }),
  })
}

/** Why the last Play of this place was refused, wherever it was pressed; null while all is well. */
export function useRefusal(place: MaybeRefOrGetter<LabPlace>) {
  const plays = useMutationState({
    filters: { mutationKey: ['play'] },
    select: ({ state }) => ({ at: state.variables as LabPlace | undefined, error: state.error }),
  })
  return computed(() => {
    const { classId, lab } = toValue(place)
    const last = plays.value.findLast(({ at }) => at?.classId === classId && at.lab === lab)
    return last?.error ? asProblem(last.error) : null
  })
}

/** Whether a lab is being stopped from this page: pressed, and not answered yet. */
export function useStopping(): Readonly<Ref<boolean>> {
  const stops = useIsMutating({ mutationKey: ['stop'] })
  return computed(() => stops.value > 0)
}

export function useStop() {
  const client = useQueryClient()
  return useMutation({
    mutationKey: ['stop'],
    scope: IN_ORDER,
    mutationFn: (place: LabPlace) => calls.stop(place),
    onSuccess: (answer, place) => client.setQueryData(keys.sandbox(place), answer),
    onSettled: (_answer, _problem, place) => {
      void client.invalidateQueries({ queryKey: keys.sandbox(place) })
      void client.invalidateQueries({ queryKey: keys.board(place.classId) })
      return client.invalidateQueries({ queryKey: keys.classPage(place.classId) })
    },
  })
}

/** The number the student saw travels in the variables, so a retry extends once. */
export function useExtend() {
  const client = useQueryClient()
  return useMutation({
    mutationKey: ['extend'],
    scope: IN_ORDER,
    mutationFn: ({ place, seen }: { place: LabPlace; seen: number }) => calls.extend(place, seen),
    onSuccess: (answer, { place }) => client.setQueryData(keys.sandbox(place), answer),
    onSettled: (_answer, _problem, { place }) => {
      void client.invalidateQueries({ queryKey: keys.board(place.classId) })
      return client.invalidateQueries({ queryKey: keys.sandbox(place) })
    },
  })
}
