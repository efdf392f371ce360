import { need, speak } from '@/i18n'

if ('document' in globalThis) {
  await speak('en')
  await need('join', 'class', 'lab', 'bench', 'trainer', 'teaching')
  // What a page loads only once it is needed is here by then: on a busy machine it takes half a
  // minute to come for the first time, and that is no test's own. jsdom lacks what pages need.
  const parts = import.meta.glob('../src/{components,pages,workspace}/**/*.vue')
  const canHave = typeof matchMedia === 'function'
  if (canHave) await Promise.all(Object.values(parts).map((load) => load()))
}
