/** What comes with a press on the board: in one file, with words of its own. */
import { defineAsyncComponent } from 'vue'
import { need } from '@/i18n'

type Parts = typeof import('./parts')

export function pressed<Name extends keyof Parts>(name: Name): Parts[Name] {
  return defineAsyncComponent<Parts[Name]>(async () => {
    const [parts] = await Promise.all([import('./parts'), need('teaching')])
    return parts[name]
  })
}
