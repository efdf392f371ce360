/** How the workspace is laid out, and the height the soft keyboard leaves for it. */
import { computed, onScopeDispose, ref, type ComputedRef, type Ref } from 'vue'

/** Too low for two panes one above the other: a phone on its side, a laptop's page at 200 %. */
const LOW = '(max-height: 539px)'

export type Layout = 'wide' | 'tall' | 'phone'

function useMedia(query: string): Ref<boolean> {
  const list = window.matchMedia(query)
  const matches = ref(list.matches)
  const follow = () => (matches.value = list.matches)
  list.addEventListener('change', follow)
  onScopeDispose(() => list.removeEventListener('change', follow))
  return matches
}

export function useLayout(): ComputedRef<Layout> {
  const phone = useMedia('(max-width: 639px)')
  const wide = useMedia(`(min-width: 940px), ((min-width: 640px) and ${LOW})`)
  return computed(() => (phone.value ? 'phone' : wide.value ? 'wide' : 'tall'))
}

const KEYBOARD_PX = 150

/** Whether a soft keyboard takes so much of the screen that the rest must make do. */
export const keyboardOpen = ref(false)

/**
 * Safari shrinks only the visual viewport under its keyboard and shifts the page; so the shell
 * takes its height from there, as `--shell-height` on the root, and the page is shifted back.
 */
export function useShellHeight(): void {
  const viewport = window.visualViewport
  if (!viewport) return
  let frame = 0
  const note = (open: boolean) => {
    keyboardOpen.value = open
    document.documentElement.dataset.keyboard = open ? 'open' : 'closed'
  }
  const follow = () => {
    cancelAnimationFrame(frame)
    frame = requestAnimationFrame(() => {
      document.documentElement.style.setProperty('--shell-height', `${viewport.height}px`)
      note(window.innerHeight - viewport.height * viewport.scale > KEYBOARD_PX)
      if (viewport.scale === 1) window.scrollTo(0, 0)
    })
  }
  follow()
  viewport.addEventListener('resize', follow)
  viewport.addEventListener('scroll', follow)
  onScopeDispose(() => {
    cancelAnimationFrame(frame)
    viewport.removeEventListener('resize', follow)
    viewport.removeEventListener('scroll', follow)
    document.documentElement.style.removeProperty('--shell-height')
    delete document.documentElement.dataset.keyboard
    keyboardOpen.value = false
  })
}
