/** Light or dark: the person's choice, else the system's, followed while it changes. */
import { readonly, ref } from 'vue'

export type Theme = 'light' | 'dark'
const KEPT = 'brihaspati.theme'
/** `--bg` of tokens.css. */
const BARS = { light: '#fbf9f4', dark: '#10101a' }
const current = ref<Theme>('light')
export const theme = readonly(current)

function apply(next: Theme): void {
  current.value = next
  document.documentElement.dataset.theme = next
  // The bar around an installed app follows the choice, not the system.
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    meta.content = BARS[next]
  }
}

export function startTheme(store: Storage | null): void {
  const system = window.matchMedia('(prefers-color-scheme: dark)')
  const chosen = store?.getItem(KEPT)
  const follow = () => apply(system.matches ? 'dark' : 'light')
  if (chosen === 'light' || chosen === 'dark') return apply(chosen)
  follow()
  system.addEventListener('change', () => {
    if (!store?.getItem(KEPT)) follow()
  })
}

export function toggleTheme(store: Storage | null): void {
  apply(current.value === 'dark' ? 'light' : 'dark')
  store?.setItem(KEPT, current.value)
}
