import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import {
  asOwner,
  closeAll,
  openSocket,
  type Running,
  readToEnd,
  sampleRoutes,
  send,
  startApp,
  TOKEN_ID,
} from './fixture.ts'

after(closeAll)

const revokePath = `/api/v1/tokens/${TOKEN_ID}/revoke`
const owner = Object.entries(asOwner).map(([name, value]) => `${name}: ${value}\r\n`)
const head = (method: string, path: string, ...lines: string[]) =>
  [`${method} ${path} HTTP/1.1\r\nhost: x\r\n`, ...owner, ...lines.map((line) => `${line}\r\n`), '\r\n'].join('')

/** What a connection that sends `bytes` gets before the server closes it. */
async function exchange(running: Running, bytes: string): Promise<string> {
  const socket = await openSocket(running.port)
  const answer = readToEnd(socket)
  socket.write(bytes)
  return answer
}

/** A route whose handler waits until it is told to go on. */
function slowRoute() {
  const entered = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const [route] = sampleRoutes
  assert.ok(route)
  const handler = async () => {
    entered.resolve()
    await released.promise
    return { code: 'TOKEN_FOUND' as const, data: {} }
  }
  return { routes: [{ ...route, handler }], entered: entered.promise, release: released.resolve }
}

const MALFORMED: readonly [name: string, bytes: string, status: number][] = [
  ['noise', '\u0000\u0001\u0002\r\n\r\n', 400],
  ['another protocol', 'SSH-2.0-OpenSSH_9.0\r\n', 400],
  ['an unknown method', 'STEAL / HTTP/1.1\r\nhost: x\r\n\r\n', 400],
  ['a header without a colon', 'GET / HTTP/1.1\r\nhost x\r\n\r\n', 400],
  ['two lengths', head('POST', revokePath, 'content-length: 1', 'content-length: 2'), 400],
  ['a length beside chunks', head('POST', revokePath, 'content-length: 1', 'transfer-encoding: chunked'), 400],
  ['a negative length', head('POST', revokePath, 'content-length: -1'), 400],
  ['a broken chunk', `${head('POST', revokePath, 'transfer-encoding: chunked')}zz\r\n`, 400],
  ['no host', 'GET /health/live HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
  ['headers beyond 16 KiB', head('GET', '/health/live', `x-long: ${'x'.repeat(17_000)}`), 431],
  ['a URL beyond 16 KiB', head('GET', `/${'x'.repeat(17_000)}`), 431],
]

for (const [name, bytes, status] of MALFORMED) {
  test(`${name} is answered ${status} in JSON, logged once, and the connection closed`, async () => {
    const running = await startApp()
    const answer = await exchange(running, bytes)
    await running.close()
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(answer, /\r\ncontent-type: application\/json\r\n/i)
    assert.match(answer, /\r\nx-request-id: request-\d+\r\n/i)
    assert.match(answer, /\r\n\r\n\{"detail":"[^"]+"\}$/)
    assert.equal(running.log.length, 1)
    assert.equal(running.log[0]?.status, status)
    assert.ok(!('clientGone' in (running.log[0] ?? {})), 'the server closed the connection')
  })
}

test('CONNECT and upgrades change nothing', async () => {
  const running = await startApp()
  const upgrade = head('GET', '/health/live', 'connection: upgrade, close', 'upgrade: websocket')
  assert.match(await exchange(running, upgrade), /^HTTP\/1\.1 200 /)
  assert.doesNotMatch(await exchange(running, 'CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n'), /HTTP\/1\.1 [25]/)
  await running.close()
})

test('an expectation is met or ignored', async () => {
  const running = await startApp()
  const lines = ['content-length: 2', 'content-type: application/json', 'connection: close']
  const answer = await exchange(running, `${head('POST', revokePath, 'expect: 100-continue', ...lines)}{}`)
  assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /)
  const other = await exchange(running, `${head('POST', revokePath, 'expect: miracles', ...lines)}{}`)
  assert.match(other, /^HTTP\/1\.1 201 /)
  await running.close()
})

const impatient = { headersTimeoutMs: 40, requestTimeoutMs: 80, timeoutCheckMs: 10 }

test('headers and bodies that do not arrive in time are answered 408', async () => {
  const running = await startApp({ limits: impatient })
  const slowHeaders = await exchange(running, 'GET /health/live HTTP/1.1\r\nhost:')
  const slowBody = await exchange(running, `${head('POST', revokePath, 'content-length: 9')}{`)
  await running.close()
  assert.ok(running.log.every((line) => !('clientGone' in line)))
  for (const answer of [slowHeaders, slowBody]) {
    assert.match(answer, /^HTTP\/1\.1 408 /)
    assert.match(answer, /\{"detail":"The request took too long to arrive"\}$/)
  }
  assert.deepEqual(
    running.log.map(({ status, error }) => [status, error]),
    [
      [408, 'request_timeout'],
      [408, 'request_timeout'],
    ],
  )
})

test('a connection that stays silent is closed without a word', async () => {
  const running = await startApp({ limits: impatient })
  assert.equal(await exchange(running, ''), '')
  await running.close()
  assert.deepEqual(running.log, [])
})

test('pipelined requests are answered in order, noise after them last', async () => {
  const running = await startApp()
  const one = head('GET', '/health/live')
  const answer = await exchange(running, `${one}${head('GET', '/nothing')}${one}noise\r\n\r\n`)
  await running.close()
  assert.deepEqual(
    [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
    ['200', '404', '200', '400'],
  )
  assert.equal(running.log.length, 4)
})

test('noise after a request in progress is answered after it', async () => {
  const { routes, entered, release } = slowRoute()
  const running = await startApp({ routes })
  const socket = await openSocket(running.port)
  const answer = readToEnd(socket)
  socket.write(head('POST', revokePath))
  await entered
  socket.write('noise\r\n\r\n')
  await new Promise((resolve) => setImmediate(resolve))
  release()
  assert.deepEqual(
    [...(await answer).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
    ['201', '400'],
  )
  await running.close()
})

test('what a client asked for is carried through when it hangs up', async () => {
  const { routes, entered, release } = slowRoute()
  const running = await startApp({ routes })
  const accepted = once(running.app.fastify.server, 'connection')
  const socket = await openSocket(running.port)
  const [connection] = await accepted
  socket.write(head('POST', revokePath))
  await entered
  socket.destroy()
  await once(connection, 'close')
  release()
  await running.app.drain(new AbortController().signal)
  const [line] = running.log
  assert.equal(running.log.length, 1)
  assert.equal(line?.status, 201)
  assert.equal(line?.clientGone, true)
})

test('a body that breaks off is logged and never handled', async () => {
  const running = await startApp()
  const socket = await openSocket(running.port)
  socket.end(`${head('POST', revokePath, 'content-length: 9')}{`)
  await readToEnd(socket)
  await running.close()
  assert.equal(running.log.length, 1)
  assert.equal(running.log[0]?.status, 400)
})

test('while draining, requests in progress finish and new ones are answered 503', async () => {
  const { routes, entered, release } = slowRoute()
  const running = await startApp({ routes })
  const kept = await openSocket(running.port)
  kept.write(head('GET', '/health/live'))
  await once(kept, 'data')
  const inProgress = send(running.port, { method: 'POST', path: revokePath, headers: asOwner })
  await entered
  const drained = running.app.drain(new AbortController().signal)

  const fresh = await send(running.port, { method: 'POST', path: revokePath, headers: asOwner })
  const onKept = readToEnd(kept)
  kept.write(head('POST', revokePath))
  assert.equal(fresh.status, 503)
  assert.equal(fresh.headers.connection, 'close')
  assert.equal(fresh.headers['retry-after'], '1')
  assert.match(await onKept, /^HTTP\/1\.1 503 .*\r\nconnection: close\r\n/s)
  for (const path of ['/health/ready', '/openapi.json', '/docs', '/nothing']) {
    assert.equal((await send(running.port, { path })).status, 503, path)
  }
  assert.equal((await send(running.port, { path: '/health/live' })).status, 200)

  release()
  assert.equal((await inProgress).status, 201)
  await drained
  await assert.rejects(send(running.port, { path: '/health/live' }), { code: 'ECONNREFUSED' })
})

test('draining closes idle and unused connections at once', async () => {
  const running = await startApp()
  const unused = await openSocket(running.port)
  const idle = await openSocket(running.port)
  idle.write(head('GET', '/health/live'))
  await once(idle, 'data')
  const closed = Promise.all([readToEnd(unused), readToEnd(idle)])
  await running.app.drain(new AbortController().signal)
  assert.deepEqual(await closed, ['', ''])
})

test('the deadline of draining cuts off what does not finish', async () => {
  const { routes, entered, release } = slowRoute()
  const running = await startApp({ routes })
  const accepted = once(running.app.fastify.server, 'connection')
  const cutOff = send(running.port, { method: 'POST', path: revokePath, headers: asOwner })
  await entered
  const [connection] = await accepted
  const closed = once(connection, 'close')
  await running.app.drain(AbortSignal.timeout(20))
  await assert.rejects(cutOff, { code: 'ECONNRESET' })
  await closed
  release()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(
    running.log.map(({ status, clientGone }) => [status, clientGone]),
    [[201, undefined]],
  )
})

test('a client that does not read its answers is cut off, and only such a client', async () => {
  const { routes, entered, release } = slowRoute()
  const running = await startApp({ routes, limits: { stalledAnswerMs: 100 } })
  const { server } = running.app.fastify
  const patient = exchange(running, head('POST', revokePath, 'connection: close'))
  await entered
  const greedy = await openSocket(running.port)
  greedy.on('error', () => {})
  greedy.pause()
  greedy.write(head('GET', '/openapi.json').repeat(5000))
  while ((await promisify(server.getConnections.bind(server))()) > 1) await immediate()
  greedy.destroy()
  release()
  assert.match(await patient, /^HTTP\/1.1 20/)
})

test('a reader of the reference that leaves before the answer is logged, and holds nothing up', async () => {
  const running = await startApp()
  for (let round = 0; round < 20; round++) {
    const socket = await openSocket(running.port)
    socket.on('error', () => {})
    socket.write(head('GET', '/docs/static/swagger-ui-bundle.js'), () => socket.resetAndDestroy())
    await once(socket, 'close')
  }
  // Without a deadline that could end it.
  await running.app.drain(new AbortController().signal)
})

test('no range of the reference is an error of the service', async () => {
  const running = await startApp()
  for (const range of ['bytes=999999999-', 'bytes=5-1', 'x']) {
    const answer = await exchange(
      running,
      head('GET', '/docs/static/swagger-ui.css', `range: ${range}`, 'connection: close'),
    )
    assert.match(answer, /^HTTP\/1.1 200/)
  }
})
