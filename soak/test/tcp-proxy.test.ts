import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { resetSocket } from '../network/reset-socket.ts'
import { TcpProxy } from '../network/tcp-proxy.ts'

/** So long nothing is heard of what must not arrive. */
const QUIET_MS = 60

test('bytes, and the news that an end closed, pass both ways', async (t) => {
  const { near, far } = await connected(t)
  near.write('a question')
  assert.equal(await far.text('a question'.length), 'a question')
  far.write('an answer')
  assert.equal(await near.text('an answer'.length), 'an answer')
  near.socket.end()
  await far.ended
  assert.equal(near.isClosed, false)
  far.write(', and more')
  far.socket.end()
  assert.equal(await near.text(19), 'an answer, and more')
  await near.ended
})

test('what is delayed arrives late, whole and in order', async (t) => {
  const { proxy, near, far } = await connected(t)
  proxy.delay(80)
  const sentMs = performance.now()
  near.write('one')
  near.write('two')
  near.socket.end()
  assert.equal(await far.text(6), 'onetwo')
  assert.ok(performance.now() - sentMs >= 79)
  await far.ended
})

test('a connection that is cut midway ends in the middle of what it carries', async (t) => {
  const { proxy, near, far } = await connected(t)
  const cut = proxy.cutMidway()
  near.write('0123456789')
  await far.ended
  assert.equal(far.received, '01234')
  await cut
  await near.closed
  assert.equal(proxy.connections, 0)
})

test('refusing resets what is connected and what connects, until it is healed', async (t) => {
  const { proxy, near, far, open } = await connected(t)
  proxy.refuse()
  await Promise.all([near.closed, far.closed])
  assert.equal(near.fault, 'ECONNRESET')
  const refused = new End(connect(proxy.port, '127.0.0.1'))
  await refused.closed
  proxy.heal()
  const again = await open()
  again.near.write('again')
  assert.equal(await again.far.text(5), 'again')
})

for (const direction of ['up', 'down', 'both'] as const) {
  test(`nothing arrives that is sent in silence (${direction}), and nobody is told, before it is healed`, async (t) => {
    const { proxy, near, far } = await connected(t)
    proxy.silence(direction, 'lose')
    near.write('up')
    far.write('down')
    if (direction === 'up') assert.equal(await near.text(4), 'down')
    if (direction === 'down') assert.equal(await far.text(2), 'up')
    await pause(QUIET_MS)
    if (direction !== 'up') assert.equal(near.received, '')
    if (direction !== 'down') assert.equal(far.received, '')
    assert.deepEqual([near.isClosed, far.isClosed], [false, false])
    proxy.heal()
    await Promise.all([near.closed, far.closed])
  })

  test(`everything that is held in silence (${direction}) arrives in order when it is healed`, async (t) => {
    const { proxy, near, far } = await connected(t)
    proxy.silence(direction, 'hold')
    near.write('up')
    near.write('wards')
    far.write('down')
    await pause(QUIET_MS)
    if (direction !== 'up') assert.equal(near.received, '')
    if (direction !== 'down') assert.equal(far.received, '')
    proxy.heal()
    assert.deepEqual([await far.text(7), await near.text(4)], ['upwards', 'down'])
  })
}

for (const how of ['FIN', 'RST'] as const) {
  test(`in silence, neither end hears of the ${how} of the other`, async (t) => {
    const { proxy, near, far } = await connected(t)
    proxy.silence('both', 'lose')
    if (how === 'FIN') far.socket.end()
    else far.socket.resetAndDestroy()
    await pause(QUIET_MS)
    assert.equal(near.isClosed || near.hasEnded, false)
    proxy.heal()
    await (how === 'FIN' ? near.ended : near.closed)
  })
}

test('in silence, a new connection is accepted and nothing comes of it', async (t) => {
  const { proxy, open } = await connected(t)
  proxy.silence('both', 'lose')
  const { near, far } = await open()
  near.write('hello')
  await pause(QUIET_MS)
  assert.deepEqual([far.received, near.isClosed], ['', false])
  proxy.heal()
  await near.closed
})

test('a connection to where nobody listens is reset', async (t) => {
  const listener = createServer()
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  const port = portOf(listener.address())
  listener.close()
  await once(listener, 'close')
  const proxy = await TcpProxy.open(port)
  t.after(() => proxy.close())
  await new End(connect(proxy.port, '127.0.0.1')).closed
})

test('connections that end and are reset all at once leave nothing behind', { timeout: 20_000 }, async (t) => {
  const { proxy, open } = await connected(t)
  for (let round = 0; round < 20; round += 1) {
    const pairs: Awaited<ReturnType<typeof open>>[] = []
    while (pairs.length < 10) pairs.push(await open())
    for (const [place, { near, far }] of pairs.entries()) {
      near.write('something')
      if (place % 3 === 0) near.socket.end()
      else resetSocket(place % 3 === 1 ? near.socket : far.socket)
    }
    if (round % 2 === 0) proxy.cut()
    else for (const { near, far } of pairs) for (const { socket } of [near, far]) socket.destroy()
  }
  while (proxy.connections > 1) await pause(1)
})

/** One end of a connection, and what it has seen. */
class End {
  readonly socket: Socket
  readonly ended: Promise<unknown>
  readonly closed: Promise<unknown>
  received = ''
  hasEnded = false
  isClosed = false
  fault: string | undefined

  constructor(socket: Socket) {
    this.socket = socket
    this.ended = new Promise((resolve) => socket.on('end', resolve))
    this.closed = new Promise((resolve) => socket.on('close', resolve))
    socket.on('data', (bytes) => {
      this.received += bytes.toString()
    })
    socket.on('end', () => {
      this.hasEnded = true
    })
    socket.on('close', () => {
      this.isClosed = true
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.fault = error.code
    })
  }

  write(text: string): void {
    this.socket.write(text)
  }

  /** Resolves when so many bytes have arrived, with everything that has. */
  async text(bytes: number): Promise<string> {
    while (this.received.length < bytes) await once(this.socket, 'data')
    return this.received
  }
}

async function connected(t: TestContext) {
  const listener = createServer({ allowHalfOpen: true })
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  const proxy = await TcpProxy.open(portOf(listener.address()))
  const sockets: Socket[] = []
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await proxy.close()
    listener.close()
  })
  const open = async () => {
    const accepted = once(listener, 'connection')
    const near = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    await once(near, 'connect')
    const [far]: Socket[] = await accepted
    assert.ok(far)
    far.setNoDelay(true)
    sockets.push(near, far)
    return { near: new End(near), far: new End(far) }
  }
  return { proxy, open, ...(await open()) }
}

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}
