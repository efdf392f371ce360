/**
 * What took long to make, kept by what it was made from: `make test` builds the app three times,
 * each time whole, and what is the same need not be thought through again.
 */
import { createHash, randomUUID } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'

/** What nobody asked for this long goes: sources change, and each change leaves some behind. */
const KEPT_MS = 14 * 24 * 3_600_000

export class Kept {
  constructor(private readonly folder: string) {
    fs.mkdirSync(folder, { recursive: true })
  }

  /** `made` of `from`, or what it gave before. Several builds may ask at once. */
  async text(from: string, made: () => Promise<string>): Promise<string> {
    const path = join(this.folder, createHash('sha256').update(from).digest('hex'))
    try {
      const found = fs.readFileSync(path, 'utf8')
      const now = new Date()
      fs.utimesSync(path, now, now)
      return found
    } catch {
      const text = await made()
      const fresh = `${path}.${randomUUID()}`
      fs.writeFileSync(fresh, text)
      fs.renameSync(fresh, path) // whole or not at all, whoever reads meanwhile
      return text
    }
  }

  /** Lets go of what was not asked for in two weeks before `now`, in milliseconds. */
  tidy(now: number): void {
    for (const name of fs.readdirSync(this.folder)) {
      const path = join(this.folder, name)
      if (now - (fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) > KEPT_MS) {
        fs.rmSync(path, { force: true })
      }
    }
  }
}
