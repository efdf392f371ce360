/** A command of the guide on its way into a terminal. */
import type { TerminalSession } from '@/terminal/session'
import type { Command } from './parts'

const INTERRUPT = '\x03'
const CLEAR = '\x0c'
/** A program that is interrupted throws away what is typed behind it too soon. */
const PAUSE_MS = 250

type Line = Pick<TerminalSession, 'run'> & {
  link: Pick<TerminalSession['link'], 'type'>
  screen: Pick<TerminalSession['screen'], 'focus'>
}

export function send(to: Line, command: Command): void {
  const type = (text: string) => to.link.type(new TextEncoder().encode(text))
  const say = () => {
    if (command.clear) type(CLEAR)
    if (command.verb === 'run') return to.run(command.text)
    type(command.text)
    to.screen.focus() // the rest, and Enter, is the person's
  }
  if (!command.interrupt) return say()
  type(INTERRUPT)
  setTimeout(say, PAUSE_MS)
}
