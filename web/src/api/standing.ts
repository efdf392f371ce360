/** How far a student is, as one page holds it while answers overtake each other. */
import type { Progress, SandboxNow } from './types'

/** Of two answers about the same student the one that knows more; an old one undoes nothing. */
export function newer(known: Progress | null | undefined, come: Progress | null): Progress | null {
  if (!come || !known) return come
  return come.revision < known.revision ? known : come
}

/** A look that was on its way while somebody pressed. `pressed`: that press has no answer yet. */
export function settled(
  known: SandboxNow | undefined,
  come: SandboxNow,
  pressed: boolean,
): SandboxNow {
  if (!known?.progress) return come
  const progress = pressed ? known.progress : newer(known.progress, come.progress)
  return { ...come, progress }
}
