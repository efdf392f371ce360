/** A small disk of a lab: really keeps files, and answers as the agent does. */
import { createHash } from 'node:crypto'
import type { Entry, Files, Found } from '@/files/files'
import { FilesProblem } from '@/files/link'

export const versionOf = (text: string) => createHash('sha256').update(text).digest('hex')

export class Disk implements Files {
  readonly folders = new Map<string, Entry[]>()
  readonly texts = new Map<string, string>()
  writes = 0
  reads = 0
  /** Set: everything fails this way. */
  broken: FilesProblem | null = null
  readOnly = false
  private gates: (() => void)[] | null = null

  constructor(texts: Record<string, string> = {}) {
    for (const [path, text] of Object.entries(texts)) this.texts.set(path, text)
  }
  /** From now on answers wait for `go`. */
  wait(): void {
    this.gates = []
  }
  go(): void {
    const gates = this.gates ?? []
    this.gates = null
    gates.forEach((open) => open())
  }

  async list(_machine: string, path: string | null) {
    await this.turn()
    const entries = this.folders.get(path ?? '/root')
    if (!entries) throw new FilesProblem('missing')
    return { path: path ?? '/root', entries, truncated: false }
  }
  async read(_machine: string, path: string): Promise<Found> {
    await this.turn()
    this.reads += 1
    const text = this.texts.get(path)
    if (text === undefined) throw new FilesProblem('missing')
    if (text.includes('\0')) return { kind: 'binary', size: text.length }
    return { kind: 'text', text, version: versionOf(text), writable: !this.readOnly }
  }
  async write(_machine: string, path: string, text: string, version: string | null) {
    await this.turn()
    this.writes += 1
    const there = this.texts.get(path)
    if (there !== text) {
      if (version === 'new' && there !== undefined) throw new FilesProblem('exists')
      const named = version !== null && version !== 'new'
      if (named && (there === undefined || versionOf(there) !== version)) {
        throw new FilesProblem('changed')
      }
    }
    this.texts.set(path, text)
    return versionOf(text)
  }
  async bytes(machine: string, path: string) {
    const found = await this.read(machine, path)
    return found.kind === 'large' ? null : new TextEncoder().encode(this.texts.get(path))
  }
  async put(machine: string, path: string, bytes: Uint8Array) {
    await this.write(machine, path, new TextDecoder().decode(bytes), 'new')
  }
  async mkdir() {
    await this.turn()
  }
  async rename() {
    await this.turn()
  }
  async remove() {
    await this.turn()
  }
  private async turn(): Promise<void> {
    const { gates } = this
    if (gates) await new Promise<void>((open) => gates.push(open))
    if (this.broken) throw this.broken
  }
}

/** A tab's storage of a given size. */
export class Drawer implements Storage {
  private readonly kept = new Map<string, string>()
  constructor(private readonly room = Infinity) {}
  get length(): number {
    return this.kept.size
  }
  key(at: number): string | null {
    return [...this.kept.keys()][at] ?? null
  }
  getItem(key: string): string | null {
    return this.kept.get(key) ?? null
  }
  setItem(key: string, value: string): void {
    if (value.length > this.room) throw new DOMException('full', 'QuotaExceededError')
    this.kept.set(key, value)
  }
  removeItem(key: string): void {
    this.kept.delete(key)
  }
  clear(): void {
    this.kept.clear()
  }
}
