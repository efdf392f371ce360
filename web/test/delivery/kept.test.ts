// @vitest-environment node
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Kept } from '../../delivery/kept'

const DAY_MS = 24 * 3_600_000
let folder: string
let made: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brihaspati-kept-'))
  made = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const shout = (kept: Kept, from: string) =>
  kept.text(from, async () => {
    made.push(from)
    return from.toUpperCase()
  })

it('makes a thing once, whichever build asks, and another of what is not the same', async () => {
  expect(await shout(new Kept(folder), 'one')).toBe('ONE')
  expect(await shout(new Kept(folder), 'one')).toBe('ONE')
  expect(await shout(new Kept(folder), 'two')).toBe('TWO')
  expect(made).toEqual(['one', 'two'])
})

it('keeps nothing of what could not be made', async () => {
  const kept = new Kept(folder)
  await expect(kept.text('one', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(readdirSync(folder)).toEqual([])
  expect(await shout(kept, 'one')).toBe('ONE')
})

it('lets go of what nobody asked for in two weeks', async () => {
  const kept = new Kept(folder)
  await shout(kept, 'one')
  kept.tidy(Date.now() + 13 * DAY_MS)
  await shout(kept, 'one')
  expect(made).toEqual(['one'])
  kept.tidy(Date.now() + 15 * DAY_MS)
  await shout(kept, 'one')
  expect(made).toEqual(['one', 'one'])
})
