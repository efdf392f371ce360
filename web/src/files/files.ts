/** The files of a lab's machines, in words of this page. */
import type { Ask, FilesLink } from './link'

export type Entry = {
  name: string
  kind: 'file' | 'folder' | 'other'
  link: boolean
  size: number
  mode: number
}
export type Listing = { path: string; entries: Entry[]; truncated: boolean }
export type Found =
  | { kind: 'text'; text: string; version: string; writable: boolean }
  | { kind: 'binary' | 'large'; size: number }

export type Files = {
  /** A folder; null is the home of the machine's user. */
  list: (machine: string, path: string | null) => Promise<Listing>
  read: (machine: string, path: string) => Promise<Found>
  /** `version`: what must be there now; `new`: nothing; null: whatever it is. Gives the new one. */
  write: (machine: string, path: string, text: string, version: string | null) => Promise<string>
  /** A whole file, whatever is in it; null when it is larger than `FILE_BYTES_MAX`. */
  bytes: (machine: string, path: string) => Promise<Uint8Array<ArrayBuffer> | null>
  /** A new file; rejects with `exists` where there is one. */
  put: (machine: string, path: string, bytes: Uint8Array) => Promise<void>
  mkdir: (machine: string, path: string) => Promise<void>
  rename: (machine: string, path: string, to: string) => Promise<void>
  remove: (machine: string, path: string) => Promise<void>
}

/** What the agent reads and writes at once. */
export const FILE_BYTES_MAX = 512 * 1024

type Raw = { size: number; large: boolean; binary: boolean; data: string; version: string }

export function filesOver(link: Pick<FilesLink, 'ask'>): Files {
  const ask = (op: string, machine: string, more: Omit<Ask, 'op' | 'machine'>) =>
    link.ask({ op, machine, ...more })
  return {
    list: async (machine, path) =>
      (await ask('list', machine, path === null ? {} : { path })) as unknown as Listing,
    read: async (machine, path) => {
      const raw = (await ask('read', machine, { path })) as unknown as Raw & { writable: boolean }
      if (raw.large) return { kind: 'large', size: raw.size }
      if (raw.binary) return { kind: 'binary', size: raw.size }
      const { version, writable } = raw
      return { kind: 'text', text: decode(raw.data), version, writable }
    },
    write: async (machine, path, text, version) => {
      const data = encode(new TextEncoder().encode(text))
      const what = { path, data, version: version ?? 'any' }
      return String((await ask('write', machine, what)).version)
    },
    bytes: async (machine, path) => {
      const raw = (await ask('read', machine, { path })) as unknown as Raw
      return raw.large ? null : bytesOf(raw.data)
    },
    put: async (machine, path, bytes) => {
      await ask('write', machine, { path, data: encode(bytes), version: 'new' })
    },
    mkdir: async (machine, path) => void (await ask('mkdir', machine, { path })),
    rename: async (machine, path, to) => void (await ask('rename', machine, { path, to })),
    remove: async (machine, path) => void (await ask('remove', machine, { path })),
  }
}

const PIECE = 0x8000

function encode(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += PIECE) {
    binary += String.fromCharCode(...bytes.subarray(at, at + PIECE))
  }
  return btoa(binary)
}

const bytesOf = (data: string) => Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0))

function decode(data: string): string {
  // A byte order mark stays: it is part of the file.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytesOf(data))
}

/** "/srv/site/a.txt" is "a.txt" in "/srv/site". */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || '/'
}
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/'))) || '/'
}
export function inside(folder: string, name: string): string {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`
}
