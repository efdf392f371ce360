/**
 * Every address of the app: its page in src/pages, and whose words it needs beside the shared
 * ones. The router reads it, and the build, which loads a page's files ahead and weighs them.
 */
export type Address = {
  path: string
  name: string
  page: string
  words: readonly string[]
  /** It asks through TanStack Query, as all do but those that must be there at once. */
  asks: boolean
  /** More that it loads by itself, behind its own files (paths in src/). */
  ahead: readonly string[]
  /** What its scripts may weigh, in 1000 bytes of gzip -9; without it nobody asks. */
  budget?: number
}
type More = Partial<Pick<Address, 'asks' | 'ahead' | 'budget'>>

function page(path: string, name: string, file: string, words: string[], more: More = {}): Address {
  return { path, name, page: file, words, asks: true, ahead: [], ...more }
}

const TERMINAL = ['terminal/line.ts']

export const addresses: readonly Address[] = [
  page('/', 'home', 'HomePage', ['join', 'class']),
  page('/join/:code?', 'join', 'JoinPage', ['join'], { asks: false, budget: 60 }),
  page('/sign-in', 'sign-in', 'SignInPage', ['join']),
  page('/c/:classId', 'class', 'ClassPage', ['class'], { budget: 85 }),
  page('/c/:classId/labs/:lab', 'lab', 'LabPage', ['lab', 'bench'], {
    ahead: TERMINAL,
    budget: 185,
  }),
  page('/c/:classId/board', 'board', 'BoardPage', ['trainer'], { budget: 80 }),
  page('/c/:classId/show', 'show', 'ShowPage', ['teaching']),
  page('/c/:classId/setup', 'setup', 'SetupPage', ['teaching']),
  page('/classes/new', 'new-class', 'NewClassPage', ['teaching']),
  page('/design', 'design', 'DesignPage', ['design', 'join']),
]
