/** What the lab page loads for a terminal, in one file. */
export { TerminalSession } from './session'
export { browserWorld } from './world'
