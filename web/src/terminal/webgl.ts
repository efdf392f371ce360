/**
 * Draw with the graphics card, where that is known to work. Never in Safari or any browser of an
 * iPad: there the screen goes blank after a while in the background (xtermjs/xterm.js#3357, #5816).
 */
import type { Terminal } from '@xterm/xterm'

type Machine = { agent: string; context: () => unknown }

/** A context that would be drawn by the processor is refused: the plain renderer does it better. */
const browser: Machine = {
  agent: navigator.userAgent,
  context: () =>
    document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true }),
}

export function mayAccelerate({ agent, context }: Machine = browser): boolean {
  const webkit = agent.includes('AppleWebKit/') && !/Chrom(e|ium)\//.test(agent)
  return !webkit && context() !== null
}

export async function accelerate(terminal: Terminal): Promise<void> {
  if (!mayAccelerate()) return
  try {
    const { WebglAddon } = await import('@xterm/addon-webgl')
    const addon = new WebglAddon()
    addon.onContextLoss(() => addon.dispose()) // the plain renderer takes over
    terminal.loadAddon(addon)
  } catch {
    // The plain renderer draws the same.
  }
}
