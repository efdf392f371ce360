/**
 * How an icon of Lucide becomes an element, in place of the library's own way, which can do far
 * more than this app asks of it and weighs on every page. delivery/icons.ts puts it there.
 */
import { h, type FunctionalComponent } from 'vue'

type Shape = [tag: string, attributes: Record<string, string>]
type Asked = { size?: number | string; class?: unknown } & Record<string, unknown>

/** Nobody hears of an icon, unless it was given words. */
const speaks = (name: string) => /^(aria-|role$|title$)/.test(name)

export default function createIcon({ node }: { node: Shape[] }): FunctionalComponent<Asked> {
  // The class comes by itself: Vue puts it on the root of what is drawn.
  return ({ size = 24, ...more }) => {
    delete more.class
    return h(
      'svg',
      {
        viewBox: '0 0 24 24',
        width: size,
        height: size,
        fill: 'none',
        stroke: 'currentColor',
        'stroke-width': 2,
        'stroke-linecap': 'round',
        'stroke-linejoin': 'round',
        'aria-hidden': Object.keys(more).some(speaks) ? undefined : 'true',
        ...more,
      },
      node.map(([tag, attributes]) => h(tag, attributes)),
    )
  }
}
