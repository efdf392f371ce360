/**
 * What a student does in the guide: turn to a step, have it checked or done, ask for a hint, answer
 * a question, raise a hand. What comes of it arrives with the sandbox; see `useSandbox`.
 */
import { useMutation, useQueryClient, type QueryClient } from '@tanstack/vue-query'
import { serverClock } from '@/clock'
import type { LabPlace } from './calls'
import { client as api, take } from './client'
import { keys } from './queries'
import { newer } from './standing'
import type { LabContent, Progress, SandboxNow } from './types'

const LAB = '/v1/classes/{class_id}/labs/{lab}'
const STEP = `${LAB}/steps/{step}` as const
/** Most checks are done by then, and their verdict comes with the answer. */
const SOON = { prefer: 'wait=5' }

export type AtStep = { place: LabPlace; step: string }
export type CheckPress = AtStep & { quiet?: boolean }
/** `seen`: the hints on the screen; a retry reveals no other. */
export type HintPress = AtStep & { seen: number }
export type QuizAnswer = AtStep & { question: string; choices: string[]; text: string | null }
/** `up`: null lowers the hand; else what it is about. */
export type HandPress = { place: LabPlace; up: { text: string } | null }

const at = ({ classId, lab }: LabPlace) => ({ class_id: classId, lab })
const atStep = ({ place, step }: AtStep) => ({ path: { ...at(place), step } })

const turn = ({ place, step }: AtStep) =>
  take(api.PUT(`${LAB}/progress`, { params: { path: at(place) }, body: { step } }))
const check = (press: CheckPress) =>
  take(
    api.POST(`${STEP}/check`, {
      params: atStep(press),
      body: { quiet: press.quiet ?? false },
      headers: SOON,
    }),
  )
const solve = (press: AtStep) =>
  take(api.POST(`${STEP}/solve`, { params: atStep(press), headers: SOON }))
const hint = (press: HintPress) =>
  take(api.POST(`${STEP}/hint`, { params: atStep(press), body: { seen: press.seen } }))
const quiz = (given: QuizAnswer) =>
  take(
    api.POST(`${STEP}/quiz`, {
      params: atStep(given),
      body: { question: given.question, choices: given.choices, text: given.text },
    }),
  )
const hand = ({ place, up }: HandPress) => {
  const params = { path: at(place) }
  return up
    ? take(api.PUT(`${LAB}/hand`, { params, body: up }))
    : take(api.DELETE(`${LAB}/hand`, { params }))
}

type Change = (progress: Progress) => Partial<Progress>

/** Change what the page knows of this student, if it knows anything yet. */
function note(client: QueryClient, place: LabPlace, change: Change): void {
  client.setQueryData<SandboxNow>(keys.sandbox(place), (known) =>
    known?.progress
      ? { ...known, progress: { ...known.progress, ...change(known.progress) } }
      : known,
  )
}
function accept(client: QueryClient, place: LabPlace, come: Progress): void {
  client.setQueryData<SandboxNow>(
    keys.sandbox(place),
    (known) => known && { ...known, progress: newer(known.progress, come) },
  )
}

/** Kept until the service has it, one after another: the step turned to last stays the last. */
export function useTurn() {
  const client = useQueryClient()
  return useMutation({
    mutationKey: ['turn'],
    scope: { id: 'turn' },
    mutationFn: turn,
    onSuccess: ({ progress }, { place }) => accept(client, place, progress),
  })
}

/** The shape of a press on Check and of one on "do it for me": busy at once, a verdict later. */
function useRun<P extends AtStep>(
  run: (press: P) => Promise<SandboxNow>,
  busy: (p: P) => boolean,
  how: { retry?: false; meta?: { quiet: true } } = {},
) {
  const client = useQueryClient()
  return useMutation({
    ...how,
    mutationKey: ['run'],
    mutationFn: run,
    onMutate: async (press: P) => {
      if (!busy(press)) return
      await client.cancelQueries({ queryKey: keys.sandbox(press.place) })
      note(client, press.place, () => ({ busy: press.step, problem: null }))
    },
    onSuccess: ({ sandbox, progress }, { place }) => {
      client.setQueryData<SandboxNow>(
        keys.sandbox(place),
        (known) => known && { ...known, sandbox, progress: newer(known.progress, progress) },
      )
    },
    onError: (_problem, press) => {
      if (busy(press)) note(client, press.place, () => ({ busy: null }))
    },
    onSettled: (_answer, _problem, { place }) =>
      client.invalidateQueries({ queryKey: keys.classPage(place.classId) }),
  })
}
export const useCheck = () => useRun(check, ({ quiet }) => !quiet)
/** The page's own look at a watched check: nobody pressed it, and the next one comes anyway. */
export const useWatch = () => useRun(check, () => false, { retry: false, meta: { quiet: true } })
export const useSolve = () => useRun(solve, () => true)

export function useHint() {
  const client = useQueryClient()
  return useMutation({
    mutationKey: ['hint'],
    mutationFn: hint,
    onSuccess: ({ hints, progress }, { place, step }) => {
      accept(client, place, progress)
      const shown = (lab: LabContent) =>
        lab.steps.map((one) => (one.id === step ? { ...one, hints } : one))
      client.setQueryData<LabContent>(
        keys.lab(place),
        (lab) => lab && { ...lab, steps: shown(lab) },
      )
    },
  })
}

export function useQuiz() {
  const client = useQueryClient()
  return useMutation({
    mutationKey: ['quiz'],
    mutationFn: quiz,
    onSuccess: ({ progress }, { place }) => accept(client, place, progress),
  })
}

/** The hand is up or down on the screen at once. */
export function useHand() {
  const client = useQueryClient()
  return useMutation({
    mutationKey: ['run', 'hand'],
    scope: { id: 'hand' },
    mutationFn: hand,
    onMutate: async ({ place, up }) => {
      await client.cancelQueries({ queryKey: keys.sandbox(place) })
      const before = client.getQueryData<SandboxNow>(keys.sandbox(place))?.progress?.hand_at ?? null
      note(client, place, () => ({ hand_at: up ? (before ?? serverClock.now()) : null }))
      return { before }
    },
    onSuccess: ({ progress }, { place }) => accept(client, place, progress),
    onError: (_problem, { place }, context) =>
      note(client, place, () => ({ hand_at: context?.before ?? null })),
  })
}
