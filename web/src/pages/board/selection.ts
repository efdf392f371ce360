/** Which students are selected. Who leaves the board leaves the selection. */
import { computed, reactive, watch, type ComputedRef } from 'vue'
import { isRunning, type Row } from './rows'

export type Selection = {
  readonly rows: ComputedRef<Row[]>
  /** The running sandboxes among them. */
  readonly running: ComputedRef<Row[]>
  has: (key: string) => boolean
  toggle: (key: string) => void
  add: (rows: readonly Row[]) => void
  clear: () => void
}

export function useSelection(rows: () => readonly Row[]): Selection {
  const chosen = reactive(new Set<string>())
  const selected = computed(() => rows().filter(({ key }) => chosen.has(key)))
  watch(rows, (now) => {
    const known = new Set(now.map(({ key }) => key))
    for (const key of chosen) if (!known.has(key)) chosen.delete(key)
  })
  return {
    rows: selected,
    running: computed(() => selected.value.filter(({ view }) => isRunning(view))),
    has: (key) => chosen.has(key),
    toggle: (key) => void (chosen.delete(key) || chosen.add(key)),
    add: (more) => more.forEach(({ key, student }) => student.id && chosen.add(key)),
    clear: () => chosen.clear(),
  }
}
