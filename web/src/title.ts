/** The page's name in the tab; a screen reader hears it when one comes to a page. */
import { watchEffect } from 'vue'
import { t } from './i18n'

/** `name` undefined: not known yet, the old one stays. */
export function useTitle(name: () => string | undefined): void {
  watchEffect(() => {
    const title = name()
    if (title) document.title = t('lab.page_title', { title })
  })
}
