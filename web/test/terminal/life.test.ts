import { describe, expect, it } from 'vitest'
import { TicketRefused } from '@/terminal/link'
import { Scene, settle } from './world'

describe('the heartbeat', () => {
  it('pings every ten seconds and a pong keeps the line open', async () => {
    const scene = new Scene()
    await scene.open()
    for (let n = 1; n <= 3; n += 1) {
      await scene.time.pass(10_000)
      expect(scene.socket.frames(0x03)).toHaveLength(n)
      scene.socket.frame(0x03)
    }
    expect(scene.names).toEqual(['connecting', 'open'])
  })

  it('is stale five seconds after an unanswered ping, open again at any sound', async () => {
    const scene = new Scene()
    await scene.open()
    await scene.time.pass(15_000)
    expect(scene.link.state.name).toBe('stale')
    scene.socket.frame(0x00, 'x')
    expect(scene.link.state.name).toBe('open')
  })

  it('gives up a silent line ten seconds after the ping', async () => {
    const scene = new Scene()
    await scene.open()
    await scene.time.pass(20_000)
    await settle()
    expect(scene.sockets).toHaveLength(2)
    expect(scene.sockets[0]!.closed).toBe(true)
  })

  it('probes quickly when the machine slept through its timer', async () => {
    const scene = new Scene()
    await scene.open()
    await scene.time.jump(60_000)
    await scene.time.pass(2_000)
    await settle()
    expect(scene.sockets).toHaveLength(2)
  })
})

describe('waking and sleeping', () => {
  it('reconnects at once, with the backoff forgotten', async () => {
    const scene = new Scene()
    scene.chance = 1
    scene.link.start()
    for (let n = 0; n < 6; n += 1) {
      await settle()
      scene.socket.ends(1006)
      if (n < 5) await scene.time.pass(8_000)
    }
    const before = scene.sockets.length
    scene.link.wake()
    await settle()
    expect(scene.sockets).toHaveLength(before + 1)
    expect(scene.link.state).toEqual({ name: 'connecting', attempt: 0 })
  })

  it('has no timers while hidden and open', async () => {
    const scene = new Scene()
    await scene.open()
    scene.link.sleep()
    expect(scene.time.waiting).toBe(0)
  })

  it('does not retry while hidden, but at once when seen again', async () => {
    const scene = new Scene()
    await scene.open()
    scene.link.sleep()
    scene.socket.ends(1006)
    await scene.time.pass(600_000)
    expect(scene.sockets).toHaveLength(1)
    scene.link.wake()
    await settle()
    expect(scene.sockets).toHaveLength(2)
  })

  it('finds a dead line two seconds after waking, though no close ever came', async () => {
    const scene = new Scene()
    await scene.open()
    scene.link.sleep()
    await scene.time.pass(300_000)
    scene.link.wake()
    expect(scene.link.state.name).toBe('open')
    await scene.time.pass(2_000)
    await settle()
    expect(scene.sockets).toHaveLength(2)
  })

  it('leaves a line alone that answers the probe', async () => {
    const scene = new Scene()
    await scene.open()
    scene.link.wake()
    scene.socket.frame(0x03)
    await scene.time.pass(9_000)
    expect(scene.sockets).toHaveLength(1)
    expect(scene.link.state.name).toBe('open')
  })

  it('starts over a connection stuck for longer than its limit', async () => {
    const scene = new Scene()
    scene.link.start()
    await settle()
    scene.time.now += 60_000 // timers are frozen in a suspended tab
    scene.link.wake()
    await settle()
    expect(scene.sockets).toHaveLength(2)
  })
})

describe('typing while away', () => {
  it('keeps what is typed and sends it, in order, when the line is back', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.ends(1006)
    scene.type('ls ')
    scene.type('-la\r')
    expect(scene.waiting).toBe('ls -la⏎')
    await scene.time.pass(1_000)
    await scene.answer({ resumed: true })
    expect(scene.socket.typed).toBe('ls -la\r')
    expect(scene.waiting).toBe('')
  })

  it('keeps at most 4 KiB and says when more came', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.ends(1006)
    scene.type('x'.repeat(4096))
    expect(scene.full).toBe(false)
    scene.type('y')
    expect(scene.full).toBe(true)
    await scene.time.pass(1_000)
    await scene.answer({ resumed: true })
    expect(scene.socket.typed).toBe('x'.repeat(4096))
  })

  it('keeps what is typed while stale and sends it when the line answers', async () => {
    const scene = new Scene()
    await scene.open()
    await scene.time.pass(15_000)
    scene.type('a')
    expect(scene.socket.typed).toBe('')
    scene.socket.frame(0x03)
    expect(scene.socket.typed).toBe('a')
  })

  it('never gives it to another shell', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.ends(1006)
    scene.type('rm -r data\r')
    await scene.time.pass(1_000)
    await scene.answer({ epoch: 'two', resumed: false })
    expect(scene.socket.typed).toBe('')
    expect(scene.renewals).toBe(1)
  })

  it('drops it at the end', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.ends(1006)
    scene.type('x')
    scene.link.stop()
    expect(scene.waiting).toBe('')
  })

  it('splits a large paste into frames the server takes', async () => {
    const scene = new Scene()
    await scene.open()
    scene.type('p'.repeat(100_000))
    const sizes = scene.socket.frames(0x00).map(({ length }) => length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(32 * 1024)
    expect(sizes.reduce((sum, one) => sum + one)).toBe(100_000)
  })
})

describe('the end', () => {
  it.each([
    [4410, { kind: 'gone' }],
    [4409, { kind: 'crowded' }],
    [4403, { kind: 'refused', reason: 'why' }],
  ])('close code %i ends it', async (code, end) => {
    const scene = new Scene()
    await scene.open()
    scene.socket.ends(code, 'why')
    expect(scene.link.state).toEqual({ name: 'ended', end })
    await scene.time.pass(60_000)
    expect(scene.sockets).toHaveLength(1)
  })

  it.each([1006, 1011, 4401, 4408, 4413, 4429])('close code %i is tried again', async (code) => {
    const scene = new Scene()
    await scene.open()
    scene.socket.ends(code)
    await scene.time.pass(1_000)
    expect(scene.sockets).toHaveLength(2)
  })

  it('believes that a terminal is not there only after several tries', async () => {
    const scene = new Scene()
    scene.link.start()
    for (let n = 0; n < 4; n += 1) {
      await settle()
      expect(scene.link.state.name).not.toBe('ended')
      scene.socket.ends(4404)
      await scene.time.pass(1_000)
    }
    expect(scene.link.state).toEqual({ name: 'ended', end: { kind: 'gone' } })
  })

  it('a shell that exits ends it, and it can be opened again', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.event({ type: 'ended', at: 5 })
    expect(scene.link.state).toEqual({ name: 'ended', end: { kind: 'exited' } })
    scene.link.start()
    await scene.answer({ epoch: 'two' })
    expect(scene.link.state.name).toBe('open')
  })

  it('a refused ticket is the end, an unanswered one is not', async () => {
    const refused = new Scene()
    refused.ticket = async () => {
      throw new TicketRefused({ kind: 'refused', reason: 'no seat' })
    }
    refused.link.start()
    await settle()
    expect(refused.link.state.name).toBe('ended')
    const offline = new Scene()
    offline.ticket = async () => {
      throw new Error('offline')
    }
    offline.link.start()
    await settle()
    expect(offline.link.state.name).toBe('waiting')
  })

  it('leaves no timer behind', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.frame(0x00, 'x')
    scene.link.stop()
    expect(scene.time.waiting).toBe(0)
    expect(scene.socket.closed).toBe(true)
  })

  it('a broken event drops the line instead of the page', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.frame(0x01, '{broken')
    expect(scene.link.state.name).toBe('waiting')
  })
})
