/** A list of people as pasted or from a spreadsheet, read line by line with what is wrong. */

export type Trouble = 'no_name' | 'bad_email' | 'twice' | 'long'
/** `line` counts from 1 as the trainer sees it; `sameAs`: the line that said it first. */
export type RosterLine = {
  line: number
  name: string
  email: string | null
  trouble: Trouble | null
  sameAs: number | null
}
export type Roster = { lines: RosterLine[]; header: boolean; good: number; bad: number }

// What the server takes.
const NAME_MAX = 60
const ADDRESS_MAX = 254
const ADDRESS = /^[^\s@<>",;]+@[^\s@<>",;]+\.[^\s@<>",;]+$/
const WITH_ADDRESS = /^(.*?)\s*<([^<>]+)>$/
const HEADS = {
  name: /^(full ?name|name|student|participant|display ?name|teilnehmer(in)?|anzeigename)$/i,
  first: /^(first ?name|given ?name|forename|vorname)$/i,
  last: /^(last ?name|surname|family ?name|nachname|familienname)$/i,
  email: /^(e-?mail([ -]?(address|adresse))?|mail|address)$/i,
}
type Head = keyof typeof HEADS

/** Fields of a line; `"` quotes, and `""` inside of quotes is one of them. */
function fields(line: string, separator: string): string[] {
  const found: string[] = []
  let field = ''
  let quoted = false
  for (let at = 0; at < line.length; at += 1) {
    const sign = line[at]
    if (quoted && sign === '"' && line[at + 1] === '"') {
      field += '"'
      at += 1
    } else if (sign === '"' && (quoted || field.trim() === '')) {
      quoted = !quoted
      if (quoted) field = ''
    } else if (sign === separator && !quoted) {
      found.push(field.trim())
      field = ''
    } else field += sign
  }
  return [...found, field.trim()]
}

/** The sign that parts most lines: a tab from a spreadsheet, a semicolon in Europe, a comma. */
function separatorOf(lines: readonly string[]): string {
  const uses = (sign: string) => lines.filter((line) => fields(line, sign).length > 1).length
  const order = ['\t', ';', ','].map((sign) => ({ sign, count: uses(sign) }))
  order.sort((a, b) => b.count - a.count)
  return order[0]?.sign ?? ','
}

function headOf(cells: readonly string[]): Partial<Record<Head, number>> | null {
  const heads: Partial<Record<Head, number>> = {}
  cells.forEach((cell, at) => {
    const head = (Object.keys(HEADS) as Head[]).find((one) => HEADS[one].test(cell))
    if (head && heads[head] === undefined) heads[head] = at
  })
  const named = heads.name !== undefined || heads.first !== undefined || heads.last !== undefined
  const several = Object.keys(heads).length > 1 || cells.length === 1
  return (named || heads.email !== undefined) && several ? heads : null
}

type Person = { name: string; email: string }
function byHead(cells: readonly string[], heads: Partial<Record<Head, number>>): Person {
  const cell = (head: Head) => (heads[head] === undefined ? '' : (cells[heads[head]] ?? ''))
  const name = cell('name') || `${cell('first')} ${cell('last')}`.trim()
  return { name, email: cell('email') }
}

/** No header: whatever has an @ is the address, the rest is the name. */
function byLooks(cells: readonly string[]): Person {
  const [only = ''] = cells
  const both = cells.filter(Boolean).length === 1 ? WITH_ADDRESS.exec(only) : null
  if (both) return { name: both[1] ?? '', email: both[2]?.trim() ?? '' }
  const email = cells.find((cell) => cell.includes('@')) ?? ''
  const names = cells.filter((cell) => cell && cell !== email)
  const swapped = names.length > 1 && email === ''
  return { name: swapped ? names.join(' ') : (names.slice(0, 2).join(' ') || ''), email }
}

function troubleOf({ name, email }: Person): Trouble | null {
  if (!name) return 'no_name'
  if (email && !ADDRESS.test(email)) return 'bad_email'
  return name.length > NAME_MAX || email.length > ADDRESS_MAX ? 'long' : null
}

export function readRoster(text: string): Roster {
  const raw = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)
  const filled = raw.map((line, at) => ({ line, number: at + 1 })).filter(({ line }) => line.trim())
  const usual = separatorOf(filled.map(({ line }) => line))
  /** By the sign of most lines; a line with an address and none of those has a sign of its own. */
  const cellsOf = (line: string) => {
    const cells = fields(line, usual)
    return cells.length > 1 || !line.includes('@') ? cells : fields(line, separatorOf([line]))
  }
  const heads = filled[0] ? headOf(cellsOf(filled[0].line)) : null
  const seen = new Map<string, number>()
  const lines = filled.slice(heads ? 1 : 0).map(({ line, number }): RosterLine => {
    const cells = cellsOf(line)
    const { name, email } = heads ? byHead(cells, heads) : byLooks(cells)
    const trouble = troubleOf({ name, email })
    // Who came is known by their name, so two of one name cannot be told apart either.
    const keys = [name.normalize('NFKC').replace(/\s+/g, ' ').toLowerCase(), email.toLowerCase()]
    const before = keys.flatMap((key) => (key && seen.get(key)) || [])
    const sameAs = trouble ? null : (before[0] ?? null)
    if (!trouble && sameAs === null) for (const key of keys) if (key) seen.set(key, number)
    const twice = sameAs === null ? trouble : 'twice'
    return { line: number, name, email: email || null, trouble: twice, sameAs }
  })
  const bad = lines.filter(({ trouble }) => trouble).length
  return { lines, header: heads !== null, good: lines.length - bad, bad }
}

export const peopleOf = ({ lines }: Roster) =>
  lines.filter(({ trouble }) => !trouble).map(({ name, email }) => ({ name, email }))

/** What is in the file again as text, for changing it. */
export function rosterText(people: readonly { name: string; email: string | null }[]): string {
  const cell = (text: string) => (/[",;\t]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text)
  return people.map(({ name, email }) => [name, email].flatMap((one) => one ? cell(one) : [])
    .join(', ')).join('\n')
}
