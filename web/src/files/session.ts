/** The editor of one sandbox: its line, its open files, its trees. It outlives layouts and tabs. */
import type { EditorState } from '@codemirror/state'
import { ref, type Ref } from 'vue'
import type { LinkWorld } from '@/terminal/link'
import { watchWakeups } from '@/terminal/wakeups'
import { Documents } from './documents'
import { filesOver, type Files } from './files'
import { FilesLink, type FilesState } from './link'
import { Tree } from './tree'

const KEEP_AFTER_MS = 400

export class EditorSession {
  readonly state: Ref<FilesState> = ref('idle')
  readonly files: Files
  readonly documents: Documents
  /** Cursor, undo and scroll of each open file while another one is on the screen. */
  readonly texts = new Map<string, { state: EditorState; age: number }>()
  readonly machine: Ref<string>
  readonly treeShown = ref(true)
  private wishTaken = 0
  private readonly trees = new Map<string, Tree>()
  private readonly link: FilesLink
  private readonly unwatch: () => void
  private readonly leave = () => this.documents.keep()
  private cancel: (() => void) | null = null

  constructor(
    sandbox: string,
    readonly machines: readonly string[],
    world: LinkWorld,
    store: Storage | null,
  ) {
    let opened = 0
    this.machine = ref(machines[0] ?? '')
    this.link = new FilesLink(world, (state) => {
      this.state.value = state
      if (state !== 'open') return
      opened += 1
      if (opened > 1) this.lookAgain()
    })
    this.files = filesOver(this.link)
    const soon = (work: () => void) => {
      this.cancel?.()
      this.cancel = world.after(KEEP_AFTER_MS, work)
    }
    this.documents = new Documents({ files: this.files, store, sandbox, soon })
    this.unwatch = watchWakeups({
      wake: () => this.link.wake(),
      sleep: () => {
        this.documents.keep()
        this.link.sleep()
      },
    })
    window.addEventListener('pagehide', this.leave)
    this.link.start()
  }

  get tree(): Tree {
    const { value: machine } = this.machine
    const tree = this.trees.get(machine) ?? new Tree(this.files, machine)
    this.trees.set(machine, tree)
    return tree
  }

  /** The shell may have been at work meanwhile. */
  lookAgain(): void {
    this.documents.refreshAll()
    void this.tree.refresh()
  }

  /** Whether this wish of the guide is new; it is granted once, however often it is seen. */
  takes(number: number): boolean {
    const fresh = number > this.wishTaken
    this.wishTaken = Math.max(number, this.wishTaken)
    return fresh
  }

  showTree(shown: boolean): void {
    this.treeShown.value = shown
  }

  /** Show the files of this machine, if it has any for us. */
  turnTo(machine: string): void {
    if (this.machines.includes(machine)) this.machine.value = machine
  }

  retryNow(): void {
    this.link.retryNow()
  }

  /** The sandbox runs (again), or it is over. */
  run(ready: boolean): void {
    if (ready) this.link.start()
    else this.link.stop()
  }

  dispose(): void {
    this.documents.keep()
    this.cancel?.()
    this.unwatch()
    window.removeEventListener('pagehide', this.leave)
    this.link.stop()
  }
}
