import { describe, expect, it } from 'vitest'
import { Scene, settle } from './world'

describe('connecting', () => {
  it('fetches a ticket, sends it first, and is open at the hello', async () => {
    const scene = new Scene()
    scene.screen.columns = 100
    await scene.open({ columns: 100 })
    expect(scene.socket.opening).toEqual({
      ticket: 't1', terminal: 'main', columns: 100, rows: 24, since: null, epoch: null,
    })
    expect(scene.names).toEqual(['connecting', 'open'])
  })

  it('is not open before the hello, and gives a silent server five seconds', async () => {
    const scene = new Scene()
    scene.link.start()
    await settle()
    scene.socket.opens()
    await scene.time.pass(4_999)
    expect(scene.link.state.name).toBe('connecting')
    await scene.time.pass(1)
    expect(scene.link.state).toMatchObject({ name: 'waiting', attempt: 1 })
    expect(scene.socket.closed).toBe(true)
  })

  it('gives a ticket that never comes five seconds, and tells the request to stop', async () => {
    const scene = new Scene()
    let asked: AbortSignal | undefined
    scene.ticket = (signal) => {
      asked = signal
      return new Promise(() => undefined)
    }
    scene.link.start()
    await scene.time.pass(5_000)
    expect(scene.link.state.name).toBe('waiting')
    expect(asked?.aborted).toBe(true)
  })

  it('fetches a new ticket for every try', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.ends(1006)
    await scene.time.pass(1_000)
    scene.socket.opens()
    expect(scene.socket.opening.ticket).toBe('t2')
  })

  it('tells the server its size when the shell has another one', async () => {
    const scene = new Scene()
    scene.screen.columns = 120
    scene.screen.rows = 40
    await scene.open({ columns: 80, rows: 24 })
    expect(scene.socket.frames(0x01)).toEqual([new Uint8Array([0, 120, 0, 40])])
  })

  it('doubles the wait from try to try up to eight seconds, by chance', async () => {
    const scene = new Scene()
    scene.chance = 1
    scene.link.start()
    const waits: number[] = []
    for (let n = 0; n < 8; n += 1) {
      await settle()
      scene.socket.ends(1006)
      const { state } = scene.link
      waits.push(state.name === 'waiting' ? (state.retryAt ?? 0) - scene.time.now : NaN)
      await scene.time.pass(waits.at(-1)!)
    }
    expect(waits).toEqual([300, 600, 1200, 2400, 4800, 8000, 8000, 8000])
  })

  it('a line that breaks right after opening does not start the waits anew', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.ends(1006)
    await scene.time.pass(300)
    await scene.answer()
    scene.socket.ends(1006)
    expect(scene.link.state).toMatchObject({ name: 'waiting', attempt: 2 })
  })

  it('a line that held starts the waits anew', async () => {
    const scene = new Scene()
    scene.link.start()
    await settle()
    scene.socket.ends(1006)
    await scene.time.pass(300)
    await scene.answer()
    await scene.time.pass(6_000)
    scene.socket.ends(1006)
    expect(scene.link.state).toMatchObject({ name: 'waiting', attempt: 1 })
  })
})

describe('resuming', () => {
  it('asks for what follows the last byte received and keeps the screen', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.frame(0x00, 'hello ')
    scene.socket.ends(1006)
    await scene.time.pass(1_000)
    await scene.answer({ resumed: true, seq: 6 })
    expect(scene.socket.opening).toMatchObject({ since: 6, epoch: 'one' })
    scene.socket.frame(0x00, 'world')
    expect(scene.screen.text).toBe('hello world')
    expect(scene.screen.resets).toBe(1) // the very first hello only
  })

  it('drops bytes it already has when the server starts earlier', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.frame(0x00, 'abcdef')
    scene.socket.ends(1006)
    await scene.time.pass(1_000)
    await scene.answer({ resumed: true, seq: 4 })
    scene.socket.frame(0x00, 'e')
    scene.socket.frame(0x00, 'fgh')
    expect(scene.screen.text).toBe('abcdefgh')
  })

  it('clears the screen for a repaint when it could not resume', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.frame(0x00, 'old')
    scene.socket.ends(1006)
    await scene.time.pass(1_000)
    await scene.answer({ resumed: false, seq: 500 })
    scene.socket.frame(0x04, 'painted ')
    scene.socket.frame(0x00, 'new')
    expect(scene.screen.text).toBe('painted new')
    scene.socket.ends(1006)
    await scene.time.pass(1_000)
    scene.socket.opens()
    expect(scene.socket.opening).toMatchObject({ since: 503 }) // repaint bytes do not count
  })

  it('jumps where the server says it skipped, and resumes from there', async () => {
    const scene = new Scene()
    await scene.open()
    scene.screen.quick = false
    scene.socket.frame(0x00, 'never seen')
    scene.socket.event({ type: 'skipped', seq: 9_000 })
    scene.socket.frame(0x04, 'now')
    scene.screen.draw()
    expect(scene.screen.text).toBe('now')
    expect(scene.socket.frames(0x02)).toEqual([]) // what was skipped is not acknowledged
    scene.socket.ends(1006)
    await scene.time.pass(1_000)
    scene.socket.opens()
    expect(scene.socket.opening).toMatchObject({ since: 9_000 })
  })
})

describe('acknowledging', () => {
  const seqs = (scene: Scene) =>
    scene.socket
      .frames(0x02)
      .map((bytes) => Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)))

  it('counts only what the screen has drawn', async () => {
    const scene = new Scene()
    await scene.open()
    scene.screen.quick = false
    scene.socket.frame(0x00, new Uint8Array(40_000))
    await scene.time.pass(500)
    expect(seqs(scene)).toEqual([])
    scene.screen.draw()
    expect(seqs(scene)).toEqual([40_000])
  })

  it('gathers small pieces for a moment', async () => {
    const scene = new Scene()
    await scene.open()
    scene.socket.frame(0x00, 'a')
    scene.socket.frame(0x00, 'b')
    expect(seqs(scene)).toEqual([])
    await scene.time.pass(100)
    expect(seqs(scene)).toEqual([2])
  })

  it('never speaks of an old shell’s bytes to a new one, which has not sent them', async () => {
    const scene = new Scene()
    await scene.open()
    scene.screen.quick = false
    scene.socket.frame(0x00, new Uint8Array(40_000))
    scene.socket.ends(1006)
    await scene.time.pass(1_000)
    await scene.answer({ epoch: 'two', seq: 10 })
    scene.screen.draw()
    scene.socket.frame(0x00, 'ab')
    scene.screen.draw()
    await scene.time.pass(100)
    expect(seqs(scene)).toEqual([12])
  })

  it('goes on while stale, or a waiting server would never speak again', async () => {
    const scene = new Scene()
    await scene.open()
    scene.screen.quick = false
    scene.socket.frame(0x00, new Uint8Array(40_000))
    await scene.time.pass(15_000)
    expect(scene.link.state.name).toBe('stale')
    scene.screen.draw()
    expect(seqs(scene)).toEqual([40_000])
  })
})
