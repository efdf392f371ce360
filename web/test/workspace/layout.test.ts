import { afterEach, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { useLayout, type Layout } from '@/workspace/layout'

afterEach(() => vi.unstubAllGlobals())

/** Media queries of widths and heights, over a window of this size. */
function layoutAt(width: number, height: number): Layout {
  const holds = (one: string) => {
    const [, bound, side, px] = /\((min|max)-(width|height): (\d+)px\)/.exec(one) ?? []
    const size = side === 'width' ? width : height
    return bound === 'min' ? size >= Number(px) : size <= Number(px)
  }
  vi.stubGlobal('matchMedia', (query: string) => ({
    matches: query.split(',').some((part) => part.split(' and ').every(holds)),
    addEventListener: () => {},
    removeEventListener: () => {},
  }))
  return effectScope().run(() => useLayout().value)!
}

it.each([
  [390, 844, 'phone'],
  [820, 1180, 'tall'],
  [1180, 820, 'wide'],
  [1440, 900, 'wide'],
] as const)('lays %i x %i out as %s', (width, height, layout) => {
  expect(layoutAt(width, height)).toBe(layout)
})

it('puts the guide beside the terminal where there is no height for both', () => {
  expect(layoutAt(844, 390)).toBe('wide') // a phone on its side
  expect(layoutAt(720, 450)).toBe('wide') // a laptop's page at 200 %
})
