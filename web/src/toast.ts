/** Short news at the edge of the screen, with at most one thing to do about it. */
import { readonly, ref } from 'vue'

export type Tone = 'ok' | 'info' | 'danger'
export type Toast = {
  text: string
  tone?: Tone
  /** Say "Undo". Whatever it does must also be possible elsewhere: toasts go away. */
  action?: { label: string; act: () => void }
  seconds?: number
}
type Shown = Required<Omit<Toast, 'action'>> & Pick<Toast, 'action'> & { id: number }

const MOST = 3
const SECONDS = 5
const shown = ref<Shown[]>([])
let last = 0
export const toasts = readonly(shown)

export function takeAway(id: number): void {
  shown.value = shown.value.filter((one) => one.id !== id)
}

/** Show it for `seconds`; the oldest give way. Call what it returns to take it away sooner. */
export function toast({ text, tone = 'ok', action, seconds = SECONDS }: Toast): () => void {
  last += 1
  const id = last
  shown.value = [...shown.value, { id, text, tone, action, seconds }].slice(-MOST)
  return () => takeAway(id)
}
