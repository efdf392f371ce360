/**
 * Where we are in the terminal's output. `received` counts every output byte that arrived (a
 * reconnect resumes from there), `drawn` those the screen has really drawn (the server waits when
 * too much is undrawn, so that Ctrl-C stays quick).
 */
import type { Hello } from './frames'

/** Bytes drawn since the last acknowledgement that are worth one at once. */
export const ACK_BYTES = 32 * 1024

export class Flow {
  epoch: string | null = null
  received = 0
  drawn = 0
  private acked = 0
  private age = 0

  /** What the first message says about resuming. */
  get resume(): { since: number | null; epoch: string | null } {
    return this.epoch === null
      ? { since: null, epoch: null }
      : { since: this.received, epoch: this.epoch }
  }

  /** Take in a hello. True when the screen must be cleared because a repaint follows. */
  begin(hello: Hello): boolean {
    const goesOn = hello.resumed && hello.epoch === this.epoch && hello.seq <= this.received
    this.epoch = hello.epoch
    this.acked = 0
    if (goesOn) {
      this.repeated = this.received - hello.seq
      return false
    }
    this.jump(hello.seq)
    return true
  }

  /** Continue at `seq` on a cleared screen; drawings of what came before no longer count. */
  jump(seq: number): void {
    this.age += 1
    this.received = seq
    this.drawn = seq
    this.acked = seq
    this.repeated = 0
  }

  /** Count output bytes; gives the part that is new and a call for when it has been drawn. */
  take(bytes: Uint8Array): { fresh: Uint8Array; drawn: () => void } {
    const known = Math.min(this.repeated, bytes.length)
    this.repeated -= known
    const fresh = bytes.subarray(known)
    this.received += fresh.length
    const upTo = this.received
    const age = this.age
    return {
      fresh,
      drawn: () => {
        if (age === this.age) this.drawn = Math.max(this.drawn, upTo)
      },
    }
  }

  /** The number to acknowledge, or null: nothing new, or too little and not `final`. */
  due(final: boolean): number | null {
    const fresh = this.drawn - this.acked
    if (fresh <= 0 || (!final && fresh < ACK_BYTES)) return null
    this.acked = this.drawn
    return this.drawn
  }

  private repeated = 0
}
