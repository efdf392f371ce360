// @vitest-environment node
/** The link against a real WebSocket server, over a real socket. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { TerminalLink, type LinkSocket } from '@/terminal/link'
import { Shell, TerminalServer } from '../../dev/terminal-server'
import { PaperScreen } from './world'
import { until } from '../until'

let server: WebSocketServer
let terminals: TerminalServer
let shell: Shell
let screen: PaperScreen
let link: TerminalLink

beforeEach(async () => {
  shell = new Shell('one', () => shell.output)
  shell.onInput = (bytes) => shell.print(`you typed ${String(bytes)};`)
  terminals = new TerminalServer(new Map([['main', shell]]))
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket) => terminals.serve(socket))
  await once(server, 'listening')
  screen = new PaperScreen()
  const { port } = server.address() as AddressInfo
  link = new TerminalLink(
    'main',
    {
      ticket: async () => ({ ticket: 't', url: `ws://127.0.0.1:${port}/agent/terminal` }),
      socket: (url) => new WebSocket(url) as unknown as LinkSocket,
      now: () => Date.now(),
      after: (ms, then) => {
        const timer = setTimeout(then, ms)
        return () => clearTimeout(timer)
      },
      chance: () => 0,
    },
    screen,
  )
  link.start()
  await until(() => link.state.name === 'open')
})
afterEach(() => {
  link.stop()
  server.close()
})
const type = (text: string) => link.type(new TextEncoder().encode(text))

it('types and reads', async () => {
  type('ls')
  await until(() => screen.text === 'you typed ls;')
  await until(() => terminals.acks.at(-1) === screen.text.length)
})

it('finds its shell again after a drop, with what was printed and typed meanwhile', async () => {
  type('a')
  await until(() => screen.text.includes('you typed a;'))
  terminals.drop()
  await until(() => link.state.name !== 'open')
  shell.print('meanwhile;')
  type('b')
  await until(() => link.state.name === 'open')
  await until(() => screen.text === 'you typed a;meanwhile;you typed b;')
  expect(terminals.openings.at(-1)).toMatchObject({ since: 12, epoch: 'one' })
  expect(screen.resets).toBe(1)
})

it('keeps trying while the server refuses, then goes on', async () => {
  terminals.refuse = { code: 4429, reason: 'too fast' }
  terminals.drop()
  await until(() => terminals.openings.length >= 3)
  terminals.refuse = null
  await until(() => link.state.name === 'open')
})

it('draws two megabytes and acknowledges every byte', async () => {
  const line = `${'x'.repeat(1023)}\n`
  for (let n = 0; n < 32; n += 1) shell.print(line.repeat(64))
  await until(() => terminals.acks.at(-1) === 32 * 64 * 1024)
  expect(screen.text.length).toBe(32 * 64 * 1024)
})
