/** Is the other side still there? A ping every 10 s; any answer counts as life. */
export type After = (ms: number, then: () => void) => () => void

export const PING_EVERY_MS = 10_000
export const STALE_AFTER_MS = 5_000
export const LOST_AFTER_MS = 10_000
export const PROBE_MS = 2_000
const JUMP_MS = 5_000

export type HeartbeatWorld = { after: After; now: () => number }
export type HeartbeatSays = {
  ping: () => void
  silent: () => void
  lost: () => void
}

export class Heartbeat {
  private cancelNext: (() => void) | null = null
  private cancelWait: (() => void) | null = null

  constructor(
    private readonly world: HeartbeatWorld,
    private readonly says: HeartbeatSays,
  ) {}

  start(): void {
    this.stop()
    const due = this.world.now() + PING_EVERY_MS
    this.cancelNext = this.world.after(PING_EVERY_MS, () => {
      // A timer this late means the machine slept: find out quickly whether the line survived.
      const slept = this.world.now() - due > JUMP_MS
      this.ask(slept ? PROBE_MS : STALE_AFTER_MS, slept ? PROBE_MS : LOST_AFTER_MS)
    })
  }

  /** Ask now and give it `PROBE_MS`. */
  probe(): void {
    this.stop()
    this.ask(PROBE_MS, PROBE_MS)
  }

  /** Something arrived: all is well. */
  heard(): void {
    if (!this.cancelWait) return
    this.start()
  }

  stop(): void {
    this.cancelNext?.()
    this.cancelWait?.()
    this.cancelNext = this.cancelWait = null
  }

  private ask(staleMs: number, lostMs: number): void {
    this.cancelNext = null
    this.says.ping()
    this.cancelWait = this.world.after(staleMs, () => {
      if (lostMs <= staleMs) return this.says.lost()
      this.says.silent()
      this.cancelWait = this.world.after(lostMs - staleMs, () => this.says.lost())
    })
  }
}
