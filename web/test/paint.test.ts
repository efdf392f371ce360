import { expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { painted, seenFirst, useStages, type Frames } from '@/paint'
import { turn } from '@/turn'
import { until } from './until'

/** Frames that are drawn when the test says so. */
function stage() {
  const waiting: (() => void)[] = []
  const looks = { hidden: false }
  const frames: Frames = { hidden: () => looks.hidden, next: (done) => void waiting.push(done) }
  const draw = () => waiting.splice(0).forEach((done) => done())
  return { frames, looks, draw, waiting }
}

it('shows nothing before it may, then one more piece with every frame', async () => {
  const { frames, draw, waiting } = stage()
  const may = ref(false)
  const shown = useStages(3, () => may.value, frames)
  draw()
  expect(shown.value).toBe(0)
  may.value = true
  await nextTick()
  expect(shown.value).toBe(1)
  draw()
  expect(shown.value).toBe(2)
  draw()
  expect(shown.value).toBe(3)
  expect(waiting).toEqual([])
})

it('goes on when there is more, and takes nothing away when there is less', async () => {
  const { frames, draw } = stage()
  const last = ref(1)
  const shown = useStages(() => last.value, () => true, frames)
  draw()
  expect(shown.value).toBe(1)
  last.value = 2
  await nextTick()
  draw()
  expect(shown.value).toBe(2)
  last.value = 1
  await nextTick()
  draw()
  expect(shown.value).toBe(2)
})

it('waits for no frame on a hidden page, which draws none', async () => {
  const { frames, looks, waiting } = stage()
  looks.hidden = true
  expect(useStages(4, () => true, frames).value).toBe(4)
  await painted(frames)
  expect(waiting).toEqual([])
})

it('stops with the page it belongs to', () => {
  const { frames, draw } = stage()
  const scope = effectScope()
  const shown = scope.run(() => useStages(3, () => true, frames))!
  scope.stop()
  draw()
  expect(shown.value).toBe(1)
})

it('goes on where no frame is ever drawn', async () => {
  vi.stubGlobal('requestAnimationFrame', () => 0)
  await painted()
  vi.unstubAllGlobals()
})

it('waits for frames only while what it shows is seen', async () => {
  const { frames, draw, waiting } = stage()
  const shown = useStages(6, () => true, seenFirst(2, frames))
  draw()
  expect(shown.value).toBe(2)
  expect(waiting).toHaveLength(1)
  draw()
  await until(() => shown.value === 6)
  expect(waiting).toEqual([])
})

it('lets other tasks have their turn', async () => {
  const said: string[] = []
  const mine = turn().then(() => said.push('mine'))
  await Promise.resolve().then(() => said.push('a microtask'))
  await mine
  expect(said).toEqual(['a microtask', 'mine'])
})
