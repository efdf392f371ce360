/**
 * Draw with the graphics card, where that is known to work. Never in Safari or any browser of an
 * iPad: there the screen goes blank after a while in the background (xtermjs/xterm.js#3357, #5816).
 * And not where the processor would only pretend to be a card: the plain renderer is better then.
 */
import type { Terminal } from '@xterm/xterm'

const PRETENDED = /swiftshader|llvmpipe|softpipe|software|basic render/i

/** `card`: its name, or null where there is none. */
export function mayAccelerate(agent: string, card: string | null): boolean {
  const webkit = agent.includes('AppleWebKit/') && !/Chrom(e|ium)\//.test(agent)
  return !webkit && card !== null && !PRETENDED.test(card)
}

function cardOf(canvas: HTMLCanvasElement): string | null {
  const context = canvas.getContext('webgl2', { failIfMajorPerformanceCaveat: true })
  if (!context) return null
  const info = context.getExtension('WEBGL_debug_renderer_info')
  const name = String(context.getParameter(info?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER))
  context.getExtension('WEBGL_lose_context')?.loseContext() // there are only a few of them
  return name
}

export async function accelerate(terminal: Terminal): Promise<void> {
  try {
    const card = cardOf(document.createElement('canvas'))
    if (!mayAccelerate(navigator.userAgent, card)) return
    const { WebglAddon } = await import('@xterm/addon-webgl')
    const addon = new WebglAddon()
    addon.onContextLoss(() => addon.dispose()) // the plain renderer takes over
    terminal.loadAddon(addon)
  } catch {
    // The plain renderer draws the same.
  }
}
