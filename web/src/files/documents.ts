/**
 * The files that are open in the editor: what is on the disk of the lab as far as we know, what is
 * on the screen, and how they go together when the student's shell writes to the same files.
 */
import { computed, reactive, ref, type ComputedRef, type Ref } from 'vue'
import { recall, remember, type Draft } from './drafts'
import { nameOf, type Files } from './files'
import { FilesProblem, type ProblemKind } from './link'

export type Doc = {
  key: string
  machine: string
  path: string
  state: 'loading' | 'ready' | 'binary' | 'large' | 'failed'
  /** As on the screen. */
  text: string
  /** As on the disk at `version`; both null where there is no such file (yet, or any more). */
  base: string | null
  version: string | null
  size: number
  writable: boolean
  saving: boolean
  /** Why it could not be loaded or saved; `changed` and `missing`: somebody else was there. */
  trouble: ProblemKind | null
  words: string
  /** Where to go, from 1; taken by the editor when it has shown it. */
  line: number | null
  /** Grows when the text on the screen was replaced from outside. */
  age: number
}
export type DocumentsWorld = {
  files: Files
  store: Storage | null
  sandbox: string
  /** Do it a little later, once, however often it is asked for. */
  soon: (work: () => void) => void
}

export const isDirty = (doc: Doc) => doc.state === 'ready' && doc.text !== doc.base
const keyOf = (machine: string, path: string) => `${machine}:${path}`

export class Documents {
  readonly open: Doc[] = reactive([])
  readonly active: Ref<string | null> = ref(null)
  readonly current: ComputedRef<Doc | null>
  /** Whether unsaved text is safe from a reload. */
  readonly kept = ref(true)

  constructor(private readonly world: DocumentsWorld) {
    this.current = computed(() => this.open.find(({ key }) => key === this.active.value) ?? null)
    const { open, active, drafts } = recall(world.store, world.sandbox)
    for (const { machine, path } of open) {
      const doc = this.add(machine, path)
      void this.load(doc, drafts[doc.key])
    }
    if (this.open.some(({ key }) => key === active)) this.active.value = active
  }

  /** Open a file, or turn to it; `fresh`: there is none of this name, Save makes it. */
  show(machine: string, path: string, line: number | null = null, fresh = false): Doc {
    const before = this.open.find(({ key }) => key === keyOf(machine, path))
    const doc = before ?? this.add(machine, path)
    doc.line = line
    this.active.value = doc.key
    if (!before && fresh) Object.assign(doc, { state: 'ready', base: null, version: null })
    else if (!before || doc.state === 'failed') void this.load(doc)
    else void this.refresh(doc)
    this.keep()
    return doc
  }

  /** What is on the screen now. */
  edit(doc: Doc, text: string): void {
    doc.text = text
    this.world.soon(() => this.keep())
  }

  /** Save it, if the file is still the one it was read from; `anyway`: whatever it is. */
  async save(doc: Doc, anyway = false): Promise<void> {
    if (doc.saving || doc.state !== 'ready') return
    const { text } = doc
    doc.saving = true
    try {
      const expected = anyway ? null : (doc.version ?? 'new')
      doc.version = await this.world.files.write(doc.machine, doc.path, text, expected)
      doc.base = text
      this.trouble(doc, null)
    } catch (error) {
      const problem = asProblem(error)
      const theirs = problem.kind === 'exists' || problem.kind === 'changed'
      this.trouble(doc, theirs ? new FilesProblem('changed') : problem)
    } finally {
      doc.saving = false
      this.keep()
    }
  }

  /** Let go of what is on the screen; show what is on the disk. */
  async takeTheirs(doc: Doc): Promise<void> {
    doc.base = doc.text // nothing here to be kept any more
    this.trouble(doc, null)
    await this.refresh(doc)
  }

  /** Look whether the file was changed meanwhile; unsaved text is never replaced. */
  async refresh(doc: Doc): Promise<void> {
    if (doc.saving || doc.state === 'loading') return
    if (doc.state !== 'ready') return this.load(doc)
    const { version } = doc
    try {
      const found = await this.world.files.read(doc.machine, doc.path)
      if (doc.saving || doc.version !== version) return
      if (found.kind === 'text' && found.version === doc.version) {
        if (doc.trouble === 'changed') this.trouble(doc, null)
      } else if (!isDirty(doc)) this.take(doc, found)
      else this.trouble(doc, new FilesProblem('changed'))
    } catch (error) {
      const problem = asProblem(error)
      if (problem.kind !== 'missing' || doc.version === null) return
      Object.assign(doc, { base: null, version: null })
      this.trouble(doc, problem)
    }
    this.keep()
  }

  refreshAll(): void {
    for (const doc of this.open) void this.refresh(doc)
  }

  close(doc: Doc): void {
    const at = this.open.indexOf(doc)
    if (at < 0) return
    this.open.splice(at, 1)
    if (this.active.value === doc.key) {
      this.active.value = (this.open[at] ?? this.open[at - 1])?.key ?? null
    }
    this.keep()
  }

  /** A file or folder has another name now: what is open of it goes with it. */
  moved(machine: string, from: string, to: string): void {
    for (const doc of this.open) {
      if (doc.machine !== machine) continue
      if (doc.path !== from && !doc.path.startsWith(`${from}/`)) continue
      const was = doc.key
      doc.path = to + doc.path.slice(from.length)
      doc.key = keyOf(machine, doc.path)
      if (this.active.value === was) this.active.value = doc.key
    }
    this.keep()
  }

  /** The student has deleted a file or folder here: only what is not saved stays open. */
  removed(machine: string, path: string): void {
    for (const doc of [...this.open]) {
      if (doc.machine !== machine) continue
      if (doc.path !== path && !doc.path.startsWith(`${path}/`)) continue
      if (isDirty(doc)) void this.refresh(doc)
      else this.close(doc)
    }
  }

  /** Write down what a reload must not lose. */
  keep(): void {
    const { store, sandbox } = this.world
    const drafts: Record<string, Draft> = {}
    for (const doc of this.open) {
      if (isDirty(doc)) drafts[doc.key] = { text: doc.text, version: doc.version }
    }
    const open = this.open.map(({ machine, path }) => ({ machine, path }))
    this.kept.value = remember(store, sandbox, { open, active: this.active.value, drafts })
  }

  private add(machine: string, path: string): Doc {
    const doc: Doc = {
      key: keyOf(machine, path), machine, path, state: 'loading', text: '', base: '',
      version: null, size: 0, writable: true, saving: false, trouble: null, words: '', line: null,
      age: 0,
    }
    this.open.push(doc)
    return this.open[this.open.length - 1] as Doc
  }

  private async load(doc: Doc, draft?: Draft): Promise<void> {
    doc.state = 'loading'
    this.trouble(doc, null)
    try {
      this.take(doc, await this.world.files.read(doc.machine, doc.path))
      if (draft) this.resume(doc, draft)
    } catch (error) {
      const problem = asProblem(error)
      if (draft && problem.kind === 'missing') {
        const there = draft.version !== null
        Object.assign(doc, { state: 'ready', text: draft.text, base: null, version: null })
        this.trouble(doc, there ? problem : null)
        doc.age += 1
      } else {
        doc.state = 'failed'
        this.trouble(doc, problem)
      }
    }
  }

  /** Unsaved text of before a reload, over what is on the disk now. */
  private resume(doc: Doc, draft: Draft): void {
    if (doc.state !== 'ready' || doc.text === draft.text) return
    const same = draft.version === doc.version
    Object.assign(doc, { text: draft.text, version: draft.version, age: doc.age + 1 })
    if (!same) this.trouble(doc, new FilesProblem('changed'))
  }

  private take(doc: Doc, found: Awaited<ReturnType<Files['read']>>): void {
    if (found.kind !== 'text') {
      Object.assign(doc, { state: found.kind, size: found.size })
      return
    }
    const { text, version, writable } = found
    Object.assign(doc, { state: 'ready', text, base: text, version, writable, age: doc.age + 1 })
    this.trouble(doc, null)
  }

  private trouble(doc: Doc, problem: FilesProblem | null): void {
    doc.trouble = problem?.kind ?? null
    doc.words = problem?.message ?? ''
  }
}

export function asProblem(error: unknown): FilesProblem {
  return error instanceof FilesProblem ? error : new FilesProblem('problem', String(error))
}

/** Short titles for the tabs: with the folder where two files have the same name. */
export function titleOf(doc: Doc, open: Doc[]): string {
  const name = nameOf(doc.path)
  const twins = open.filter((other) => nameOf(other.path) === name)
  if (twins.length < 2) return name
  const folder = doc.path.split('/').at(-2) ?? ''
  const apart = new Set(twins.map(({ path }) => path.split('/').at(-2))).size === twins.length
  return apart ? `${folder}/${name}` : `${doc.machine}:${folder}/${name}`
}
