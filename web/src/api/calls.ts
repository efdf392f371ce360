/** Every call the pages make, named after what a person does. */
import { client, take } from './client'
import type { TicketWish } from './types'

/** Where one student's lab lives. `student` is set when an instructor looks at another's. */
export type LabPlace = { classId: string; lab: string; student?: string }

const SANDBOX = '/v1/classes/{class_id}/labs/{lab}/sandbox'
/** Where a lab is ready or gone within a second, the answer says so: nobody needs to ask again. */
const soon = { prefer: 'wait=1' }
const at = (place: LabPlace) => ({ class_id: place.classId, lab: place.lab })
const seat = (place: LabPlace) => ({ path: at(place), query: { student: place.student } })
const ofClass = (classId: string) => ({ path: { class_id: classId } })

export const health = () => take(client.GET('/v1/health'))
export const joinPreview = (code: string, signal?: AbortSignal) =>
  take(client.GET('/v1/join/{code}', { params: { path: { code } }, signal }))
/** Where functions begin cold, the one that answers students begins now. */
export const wake = () => take(client.GET('/v1/awake'))
export const join = (body: { code: string; name: string; email?: string; key?: string }) =>
  take(client.POST('/v1/join', { body }))

export const signIn = (token: string) => take(client.POST('/v1/sign-in', { body: { token } }))
export const session = (signal?: AbortSignal) => take(client.GET('/v1/session', { signal }))
export const signOut = () => take(client.DELETE('/v1/session'))
export const deviceLink = () => take(client.POST('/v1/session/link'))

export const classes = (signal?: AbortSignal) => take(client.GET('/v1/classes', { signal }))
export const classPage = (classId: string, signal?: AbortSignal) =>
  take(client.GET('/v1/classes/{class_id}', { params: ofClass(classId), signal }))
export const board = (classId: string, signal?: AbortSignal) =>
  take(client.GET('/v1/classes/{class_id}/board', { params: ofClass(classId), signal }))

export const labPage = (place: LabPlace, signal?: AbortSignal) =>
  take(
    client.GET('/v1/classes/{class_id}/labs/{lab}', { params: { path: at(place) }, signal }),
  )
export const sandbox = (place: LabPlace, signal?: AbortSignal) =>
  take(client.GET(SANDBOX, { params: seat(place), signal }))
export const play = (place: LabPlace) =>
  take(client.PUT(SANDBOX, { params: { path: at(place) }, headers: soon }))
export const stop = (place: LabPlace) =>
  take(client.DELETE(SANDBOX, { params: seat(place), headers: soon }))

/** `extensionsLeft` is the number on screen: pressing twice by mistake extends once. */
export const extend = (place: LabPlace, extensionsLeft: number) =>
  take(
    client.POST(`${SANDBOX}/extend`, {
      params: seat(place),
      body: { extensions_left: extensionsLeft },
    }),
  )

export const ticket = (place: LabPlace, body: TicketWish, signal?: AbortSignal) =>
  take(client.POST(`${SANDBOX}/ticket`, { params: { path: at(place) }, body, signal }))
