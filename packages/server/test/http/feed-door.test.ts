import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import { FEED_PATH, type FeedSocket, type FeedSocketListener } from '@rescind/protocol'
import type { VerifierCredential } from '../../http/feed-door.ts'
import { authenticate, closeAll, FOLLOWER, openSocket, readToEnd, startApp } from './fixture.ts'

after(closeAll)

const HANDSHAKE = [
  `GET ${FEED_PATH} HTTP/1.1`,
  'host: x',
  'authorization: Bearer follower',
  'x-request-id: r1',
  'connection: upgrade',
  'upgrade: websocket',
  `sec-websocket-key: ${Buffer.alloc(16).toString('base64')}`,
  'sec-websocket-version: 13',
  '\r\n',
].join('\r\n')

/** A feed that keeps what it is given. */
function recordingFeed() {
  const heard: unknown[] = []
  const accepted = Promise.withResolvers<{ socket: FeedSocket; credential: VerifierCredential }>()
  const ended = Promise.withResolvers<number>()
  const feed = {
    accept: (socket: FeedSocket, credential: VerifierCredential): FeedSocketListener => {
      accepted.resolve({ socket, credential })
      return { received: (message) => heard.push(message), closed: ended.resolve }
    },
  }
  return { feed, heard, accepted: accepted.promise, closed: ended.promise }
}

test('a verifier that is let in is logged as a request, by ids only', async () => {
  const { feed, accepted } = recordingFeed()
  const { port, log, close } = await startApp({ feed })
  const socket = await openSocket(port)
  socket.write(HANDSHAKE)
  const { credential } = await accepted
  const [head] = await once(socket, 'data')
  await close()
  assert.match(`${head}`, /^HTTP\/1.1 101 .*\r\nx-request-id: r1\r\n/s)
  assert.deepEqual(credential, { tokenId: FOLLOWER.tokenId, token: 'follower' })
  const [{ time, ms, ...line } = {}, ...more] = log
  assert.deepEqual(more, [])
  assert.equal(typeof ms, 'number')
  const { tokenId } = FOLLOWER
  assert.deepEqual(line, {
    level: 30,
    requestId: 'r1',
    method: 'GET',
    route: FEED_PATH,
    status: 101,
    tokenId,
    msg: 'request',
  })
})

test('texts arrive as text and bytes as bytes, in both directions', async () => {
  const { feed, heard, accepted, closed } = recordingFeed()
  const { port, close } = await startApp({ feed })
  const client = new WebSocket(`ws://127.0.0.1:${port}${FEED_PATH}`, {
    headers: { authorization: 'Bearer follower' },
  })
  client.binaryType = 'arraybuffer'
  const got: unknown[] = []
  client.addEventListener('message', ({ data }) => got.push(data))
  const ended = new Promise((resolve) => client.addEventListener('close', ({ code }) => resolve(code)))
  const { socket } = await accepted
  await new Promise((resolve) => client.addEventListener('open', resolve))
  socket.send('text €')
  socket.send(Uint8Array.of(1, 2, 3))
  client.send('text €')
  client.send(Uint8Array.of(4, 5))
  client.send('')
  while (heard.length < 3) await immediate()
  assert.ok(socket.bufferedBytes >= 0)
  socket.close(4408)
  assert.equal(await ended, 4408)
  assert.equal(await closed, 4408)
  socket.send('too late')
  socket.destroy()
  assert.deepEqual(got, ['text €', Uint8Array.of(1, 2, 3).buffer])
  assert.equal(heard[0], 'text €')
  assert.deepEqual(new Uint8Array(heard[1] as Uint8Array), Uint8Array.of(4, 5))
  assert.equal(heard[2], '')
  await close()
})

test('what a verifier does not read is counted', async () => {
  const { feed, accepted } = recordingFeed()
  const { port, close } = await startApp({ feed })
  const client = await openSocket(port)
  client.on('error', () => {}).pause()
  client.write(HANDSHAKE)
  const { socket } = await accepted
  // More than the system takes for a reader that does not read.
  for (let sent = 0; sent < 64; sent++) socket.send(new Uint8Array(1024 * 1024))
  assert.ok(socket.bufferedBytes > 32 * 1024 * 1024)
  client.resume()
  while (socket.bufferedBytes > 0) await immediate()
  await close()
})

test('frames that break the protocol are told as a message that is none, and end the connection', async () => {
  const { feed, heard, accepted, closed } = recordingFeed()
  const { port, close } = await startApp({ feed })
  const socket = await openSocket(port)
  socket.write(HANDSHAKE)
  await accepted
  socket.end(Uint8Array.of(0xff, 0xff, 0xff))
  await closed
  assert.deepEqual(heard, [''])
  await close()
})

test('a connection that carried requests before becomes one of the feed', async () => {
  const { feed, accepted } = recordingFeed()
  const { port, close } = await startApp({ feed })
  const socket = await openSocket(port)
  socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(socket, 'data')
  socket.write(HANDSHAKE)
  await accepted
  await close()
})

test('whoever does not wait for the answers before is refused after them', async () => {
  const { port, log, close } = await startApp()
  const socket = await openSocket(port)
  const answers = readToEnd(socket)
  const alive = 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n'
  socket.end(alive + alive + HANDSHAKE)
  assert.deepEqual(
    [...(await answers).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
    ['200', '200', '426'],
  )
  assert.equal(log.length, 3)
  await close()
})

test('a body changes nothing about whether a verifier is let in', async () => {
  const { port, close } = await startApp()
  for (const body of ['content-length: 3\r\n\r\nabc', 'transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n']) {
    const socket = await openSocket(port)
    const answer = readToEnd(socket)
    socket.write(HANDSHAKE.replace('follower', 'reader').slice(0, -2) + body)
    assert.match(await answer, /^HTTP\/1.1 403 /)
  }
  await close()
})

test('while draining nobody is let in; who is in stays until the feed ends', async () => {
  const { feed, accepted, closed } = recordingFeed()
  const { app, port, log } = await startApp({ feed })
  const inside = await openSocket(port)
  inside.write(HANDSHAKE)
  const { socket } = await accepted
  const ending = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const drained = app.drain(new AbortController().signal, () => {
    asked.resolve()
    return ending.promise
  })
  await asked.promise
  const late = await openSocket(port)
  const answer = readToEnd(late)
  late.write(HANDSHAKE)
  assert.match(await answer, /^HTTP\/1.1 503 .*\r\nretry-after: 1\r\nconnection: close\r\n/is)
  assert.equal(inside.closed, false)
  inside.resume()
  socket.close(1001)
  ending.resolve()
  socket.destroy()
  await closed
  await drained
  assert.deepEqual(
    log.map(({ status }) => status),
    [101, 503],
  )
})

test('the deadline of draining cuts off verifiers that stay', async () => {
  const { feed, accepted, closed } = recordingFeed()
  const { app, port } = await startApp({ feed })
  const socket = await openSocket(port)
  socket.on('error', () => {}).resume()
  socket.write(HANDSHAKE)
  await accepted
  await app.drain(AbortSignal.timeout(20))
  assert.equal(await closed, 1006)
})

test('a verifier that hangs up before it was let in is not let in, and holds nothing up', async () => {
  const asked = Promise.withResolvers<void>()
  const decided = Promise.withResolvers<void>()
  const running = await startApp({
    feed: { accept: () => assert.fail('it is gone') },
    authenticate: async (authorization) => {
      asked.resolve()
      await decided.promise
      return authenticate(authorization)
    },
  })
  const connected = once(running.app.fastify.server, 'connection')
  const socket = await openSocket(running.port)
  const [connection] = await connected
  socket.write(HANDSHAKE)
  await asked.promise
  const gone = new Promise((resolve) => connection.on('close', resolve))
  socket.resetAndDestroy()
  await gone
  decided.resolve()
  // Without a deadline that could end it.
  await running.app.drain(new AbortController().signal)
  assert.deepEqual(
    running.log.map(({ status, clientGone }) => [status, clientGone]),
    [[400, true]],
  )
})
