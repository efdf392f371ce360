/**
 * A piece of the app did not load. After a deploy an open tab asks for pieces that are gone, and
 * on a bad line any may be lost, for browsers do not ask for the same module twice: a fresh page
 * has them all. But only once somebody answers, or there would be no page left.
 */
const KEY = 'brihaspati.reloaded'
const LEAST_MS = 10_000
const EVERY_MS = 2_000

export type Reloading = {
  /** Whether the portal answers. */
  answers: () => Promise<boolean>
  /** Whether presses still wait to be sent; a reload would lose them. */
  busy: () => boolean
  reload: () => void
  wall: () => number
}

/** A handler for `vite:preloadError`. Twice within seconds it is a fault that no reload mends. */
export function whenPieceIsLost(world: Reloading, store: Storage): (event: Event) => void {
  let waiting = false
  const wait = async () => {
    const there = !world.busy() && (await world.answers())
    if (!there) return void setTimeout(() => void wait(), EVERY_MS)
    store.setItem(KEY, String(world.wall()))
    world.reload()
  }
  return () => {
    if (waiting || world.wall() - Number(store.getItem(KEY) ?? 0) < LEAST_MS) return
    waiting = true
    void wait()
  }
}
