/** Files between this device and the lab: what a student brings, and takes home before the end. */
import { FILE_BYTES_MAX, inside, nameOf, type Files } from './files'
import { FilesProblem } from './link'

type Carrier = Pick<Files, 'bytes' | 'put'>
/** Safari reads what is downloaded a while later. */
const READING_MS = 30_000

/** Gives bytes to the person under this name. */
export type Hand = (name: string, bytes: Blob) => void

/** The browser's own way: it goes to the downloads, on an iPad to Files. */
export const handOver: Hand = (name, bytes) => {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(bytes)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), READING_MS)
}

/** Rejects with a FilesProblem, `large` for one that does not come in one piece. */
export async function takeHome(
  files: Carrier,
  machine: string,
  path: string,
  hand: Hand = handOver,
): Promise<void> {
  const bytes = await files.bytes(machine, path)
  if (!bytes) throw new FilesProblem('large')
  hand(nameOf(path), new Blob([bytes]))
}

/** Into this folder, one by one; nothing there is replaced. Rejects with a FilesProblem. */
export async function bring(
  files: Carrier,
  machine: string,
  folder: string,
  brought: readonly File[],
): Promise<void> {
  for (const file of brought) {
    if (file.size > FILE_BYTES_MAX) throw new FilesProblem('large')
    await files.put(machine, inside(folder, file.name), new Uint8Array(await file.arrayBuffer()))
  }
}
