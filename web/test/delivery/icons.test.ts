/** Icons drawn in our way look as Lucide draws them. */
import { Ellipsis, Settings2, Sun, type LucideIcon } from '@lucide/vue'
import { mount } from '@vue/test-utils'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { light } from '../../delivery/icons'
import createIcon from '@/art/icon'

const ICONS = resolve(import.meta.dirname, '../../node_modules/@lucide/vue/dist/esm/icons')
type Data = Parameters<typeof createIcon>[0]

/** The module as the build has it, and what it hands to whoever makes the icon. */
function drawing(name: string): Data {
  const code = light(readFileSync(resolve(ICONS, `${name}.mjs`), 'utf8'))
  expect(code).not.toMatch(/key:|name:/)
  const literal = /= (\{[\s\S]*?\n\});/.exec(code)![1]!
  return new Function(`return ${literal}`)() as Data
}
/** Attributes by name, of the icon and of its shapes; without the classes nobody uses. */
function looks(icon: unknown, props: Record<string, unknown>): unknown {
  const root = mount(icon as LucideIcon, { props }).element
  return [root, ...root.children].map((element) => {
    const all = [...element.attributes].map(({ name, value }) => [name, value] as const)
    const said = all.map(([name, value]) =>
      name === 'class' ? [name, value.replace(/lucide[\w-]*\s?/g, '').trim()] : [name, value])
    const kept = said.filter(([name, value]) => name !== 'xmlns' && value !== '')
    return [element.tagName, Object.fromEntries(kept)]
  })
}

const ASKED = [
  {},
  { size: 17, class: 'shrink-0', 'aria-hidden': 'true' },
  { size: 20, 'stroke-width': 1.9, 'aria-label': 'Menu' },
  { fill: 'currentColor', title: 'Light' },
]
it.each([['sun', Sun], ['ellipsis', Ellipsis], ['settings-2', Settings2]])(
  'draws %s',
  (name, lucide) => {
    const ours = createIcon(drawing(name))
    for (const props of ASKED) expect(looks(ours, props)).toEqual(looks(lucide, props))
  },
)
