/** The tree of files beside the editor: folders are read when they are opened. */
import { reactive, ref, type Ref } from 'vue'
import { asProblem } from './documents'
import { folderOf, inside, type Entry, type Files } from './files'
import type { ProblemKind } from './link'

export type Leaf = { path: string; name: string; kind: Entry['kind']; children?: Leaf[] }
type Folder = { entries: Entry[]; truncated: boolean }

export class Tree {
  /** The folder at the top; empty until the home folder is known. */
  readonly root: Ref<string> = ref('')
  /** Paths of the folders that are open. */
  readonly expanded: Ref<string[]> = ref([])
  readonly problem: Ref<{ kind: ProblemKind; words: string } | null> = ref(null)
  readonly loading = ref(false)
  private asked = 0
  private readonly folders = reactive(new Map<string, Folder>())

  constructor(
    private readonly files: Pick<Files, 'list'>,
    readonly machine: string,
  ) {}

  /** Make this the folder at the top; null is the home of the machine's user. */
  async goTo(path: string | null): Promise<void> {
    const mine = (this.asked += 1)
    const found = await this.read(path)
    if (found !== null && mine === this.asked) this.root.value = found
  }

  up(): Promise<void> {
    return this.goTo(folderOf(this.root.value))
  }

  /** Have a file in sight: its folders opened, another top if it lies elsewhere. */
  async reveal(path: string): Promise<void> {
    const folder = folderOf(path)
    const { value: root } = this.root
    const under = root === '/' ? folder : folder.slice(root.length)
    const below = root !== '' && (root === folder || folder.startsWith(inside(root, '')))
    if (!below) return this.goTo(folder)
    let at = root
    for (const part of under.split('/').filter(Boolean)) {
      at = inside(at, part)
      await this.expand(at)
    }
  }

  async expand(path: string): Promise<void> {
    if (!this.expanded.value.includes(path)) this.expanded.value = [...this.expanded.value, path]
    if (!this.folders.has(path)) await this.read(path)
  }

  /** Read again all that is in sight. */
  async refresh(): Promise<void> {
    if (!this.root.value) return this.goTo(null)
    await Promise.all([this.root.value, ...this.expanded.value].map((path) => this.read(path)))
  }

  get leaves(): Leaf[] {
    return this.below(this.root.value)
  }

  /** Whether not everything in the top folder is shown. */
  get truncated(): boolean {
    return this.folders.get(this.root.value)?.truncated ?? false
  }

  private below(path: string): Leaf[] {
    const entries = this.folders.get(path)?.entries ?? []
    return entries.map(({ name, kind }) => {
      const here = inside(path, name)
      const children = this.expanded.value.includes(here) ? this.below(here) : []
      return kind === 'folder' ? { path: here, name, kind, children } : { path: here, name, kind }
    })
  }

  private async read(path: string | null): Promise<string | null> {
    this.loading.value = true
    try {
      const { entries, truncated, path: where } = await this.files.list(this.machine, path)
      // Kept under the name it was asked by: a link to a folder has another path.
      const known = path ?? where
      this.folders.set(known, { entries, truncated })
      this.problem.value = null
      return known
    } catch (error) {
      const { kind, message } = asProblem(error)
      if (path !== null) this.forget(path)
      this.problem.value = { kind, words: message }
      return null
    } finally {
      this.loading.value = false
    }
  }

  private forget(path: string): void {
    this.folders.delete(path)
    this.expanded.value = this.expanded.value.filter((one) => one !== path)
  }
}
