/**
 * A piece of the app did not load. After a deploy an open tab asks for pieces that are gone, and
 * on a bad line any may be lost, for browsers do not ask for the same module twice: a fresh page
 * has them all. But only once somebody answers, or there would be no page left. Where a fresh page
 * lacks it too, no further one mends that, and the person is told.
 */
const KEY = 'brihaspati.reloaded'
/** On a slow line a fresh page takes many seconds until it lacks the same piece. */
const LEAST_MS = 30_000
const LOST = 'vite:preloadError'
const EVERY_MS = 2_000

export type Reloading = {
  /** Whether the portal answers. */
  answers: () => Promise<boolean>
  /** Whether presses still wait to be sent; a reload would lose them. */
  busy: () => boolean
  reload: () => void
  /** Say that a part of the page is missing. */
  tell: () => void
  wall: () => number
}

/** Begins to listen for lost pieces. */
export function whenPieceIsLost(world: Reloading, store: Storage): void {
  let waiting = false
  const wait = async () => {
    const there = !world.busy() && (await world.answers())
    if (!there) return void setTimeout(() => void wait(), EVERY_MS)
    store.setItem(KEY, String(world.wall()))
    world.reload()
  }
  window.addEventListener(LOST, () => {
    if (waiting) return
    if (world.wall() - Number(store.getItem(KEY) ?? 0) < LEAST_MS) return world.tell()
    waiting = true
    void wait()
  })
}

/** What was to be made of a piece could not be made: as if the piece were lost. */
export function pieceIsLost(): void {
  window.dispatchEvent(new Event(LOST))
}
