import { expect, it } from 'vitest'
import { bring, takeHome } from '@/files/carrying'
import { FILE_BYTES_MAX, filesOver } from '@/files/files'
import type { Ask } from '@/files/link'
import { Disk } from './disk'

it('hands a file over under its name, with every byte', async () => {
  const disk = new Disk({ '/srv/site/logo.bin': 'a\0b' })
  const given: [string, Blob][] = []
  await takeHome(disk, 'lab', '/srv/site/logo.bin', (...one) => given.push(one))
  const [[name, bytes]] = given as [[string, Blob]]
  expect([name, await bytes.text()]).toEqual(['logo.bin', 'a\0b'])
})

it('brings files into a folder, and replaces none', async () => {
  const disk = new Disk({ '/root/b.txt': 'theirs' })
  const brought = [new File(['mine'], 'a.txt'), new File(['mine'], 'b.txt')]
  await expect(bring(disk, 'lab', '/root', brought)).rejects.toMatchObject({ kind: 'exists' })
  expect([...disk.texts]).toEqual([['/root/b.txt', 'theirs'], ['/root/a.txt', 'mine']])
})

it('sends nothing that the agent would refuse for its size', async () => {
  const disk = new Disk()
  const large = new File([new Uint8Array(FILE_BYTES_MAX + 1)], 'large.bin')
  await expect(bring(disk, 'lab', '/root', [large])).rejects.toMatchObject({ kind: 'large' })
  expect(disk.writes).toBe(0)
})

it('says to the agent what it understands, and reads what it says', async () => {
  const asked: Ask[] = []
  const files = filesOver({
    ask: async (ask) => {
      asked.push(ask)
      return ask.op === 'read' ? { data: 'AP8=', large: false, binary: true } : {}
    },
  })
  await files.put('lab', '/root/x', Uint8Array.of(0, 255))
  expect(asked).toEqual([
    { op: 'write', machine: 'lab', path: '/root/x', data: 'AP8=', version: 'new' },
  ])
  expect(await files.bytes('lab', '/root/x')).toEqual(Uint8Array.of(0, 255))
})
