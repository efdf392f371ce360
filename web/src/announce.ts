/** Words for a screen reader, put into the live region that App.vue shows to it alone. */
import { readonly, ref } from 'vue'

const said = ref('')
export const announcement = readonly(said)

/** Say it once more even when it is the same text as before. */
export function announce(text: string): void {
  said.value = ''
  queueMicrotask(() => (said.value = text))
}
