/** After the task that runs: until `next` is called the page may draw, and hear a press. */
export function later(next: () => void): void {
  const { port1, port2 } = new MessageChannel() // a timer may be put off by 4 ms
  port1.onmessage = () => {
    port1.close()
    next()
  }
  port2.postMessage(null)
}

/** A task of its own for what is done then, so that long work is never one long task. */
export function turn(): Promise<void> {
  return new Promise(later)
}
