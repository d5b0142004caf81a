import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Unavailable } from '@rescind/protocol'
import { asOwner, BUSINESS, closeAll, OWNER, type Running, sampleRoutes, send, startApp, TOKEN_ID } from './fixture.ts'

let running: Running
before(async () => {
  running = await startApp()
})
after(closeAll)

const revokePath = `/api/v1/tokens/${TOKEN_ID}/revoke`

test('a success is an envelope with the sentence of its code', async () => {
  const received = await send(running.port, { path: '/api/v1/tokens?limit=7&limit=+8&cursor=', headers: asOwner })
  assert.equal(received.status, 200)
  assert.equal(received.headers['cache-control'], 'no-store')
  assert.deepEqual(received.json, {
    success: true,
    message: 'One token.',
    code: 'TOKEN_FOUND',
    data: {
      query: {
        include_revoked: false,
        cursor: '',
        limit: 8,
        direction: 'next',
        include_total_count: false,
        sort_by: 'created_at',
        descending: true,
        all: false,
      },
    },
  })
})

test('a method that nobody knows is answered as any other', async () => {
  const answered = async (method: string, path: string) => {
    const { status, headers } = await send(running.port, { method, path })
    return [status, headers.allow]
  }
  for (const method of ['OPTIONS', 'TRACE', 'PROPFIND']) {
    assert.deepEqual(await answered(method, '/api/v1/nothing'), [404, undefined], method)
    assert.deepEqual(await answered(method, `${revokePath}?x`), [405, 'POST'], method)
  }
  assert.deepEqual(await answered('POST', '/docs/static/nothing'), [405, 'GET, HEAD'])
})

test('a URL that cannot be decoded is 400', async () => {
  for (const path of ['/api/v1/tokens/%zz/revoke', '/%ff', '/api/v1/tokens/%e0%80%80/revoke']) {
    const received = await send(running.port, { method: 'POST', path, headers: asOwner })
    assert.equal(received.status, 400, path)
    assert.equal(received.text, '{"detail":"The request could not be understood"}')
  }
})

test('bodies of any content type are read, whatever the type says', async () => {
  for (const type of ['', 'garbage', 'application', 'application/', 'text/plain; charset="', 'application/json/x']) {
    const headers = { ...asOwner, 'content-type': type }
    const received = await send(running.port, { method: 'POST', path: revokePath, headers, body: '{"reason":"r"}' })
    assert.equal(received.status, 422, type)
  }
  for (const type of ['application/json; charset=x', 'APPLICATION/problem+JSON', ' application/json ;']) {
    const headers = { ...asOwner, 'content-type': type }
    const received = await send(running.port, { method: 'POST', path: revokePath, headers, body: '{"reason":"r"}' })
    assert.equal(received.status, 201, type)
  }
})

test('a body that is not UTF-8 is 400 as JSON and mended as text', async () => {
  const body = Uint8Array.of(0x22, 0xff, 0x22)
  const post = (type: string) =>
    send(running.port, { method: 'POST', path: revokePath, headers: { ...asOwner, 'content-type': type }, body })
  assert.equal((await post('application/json')).text, '{"detail":"The body is not valid UTF-8"}')
  assert.match((await post('text/plain')).text, /"input":"\\"\ufffd\\""/)
})

test('a chunked body is limited like any other', async () => {
  const headers = { ...asOwner, 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
  const post = (body: string) => send(running.port, { method: 'POST', path: revokePath, headers, body })
  assert.equal((await post('{"reason":"r"}')).status, 201)
  assert.equal((await post(`"${'x'.repeat(200_000)}"`)).status, 413)
})

test('a token in a refused body is not repeated', async () => {
  const token = ['dz_eyJ', 'a'.repeat(20), '.', 'b'.repeat(20), '.', 'c'.repeat(20)].join('')
  const headers = { ...asOwner, 'content-type': 'application/json' }
  const body = JSON.stringify({ reason: [{ [token]: [token] }] })
  const received = await send(running.port, { method: 'POST', path: revokePath, headers, body })
  assert.equal(received.status, 422)
  assert.ok(!received.text.includes('eyJ'))
  const stored = await send(running.port, {
    method: 'POST',
    path: revokePath,
    headers,
    body: JSON.stringify({ reason: `leaked: ${token}` }),
  })
  assert.ok(stored.text.includes('"reason":"leaked: [redacted token]"'))
})

test('a harmless request id is kept, any other is replaced', async () => {
  const id = async (given: string) => {
    const { headers } = await send(running.port, { path: '/health/live', headers: { 'x-request-id': given } })
    return headers['x-request-id']
  }
  assert.equal(await id('Trace_1-a'), 'Trace_1-a')
  for (const given of ['', 'a.b', 'a b', 'x'.repeat(65), 'ä']) assert.match(String(await id(given)), /^request-\d+$/)
  const unknown = await send(running.port, { path: '/nothing', headers: { 'x-request-id': 'here' } })
  assert.equal(unknown.headers['x-request-id'], 'here')
})

test('each request leaves one line, without its URL, headers or body', async () => {
  const { port, log, close } = await startApp()
  const secret = 'canary'
  const headers = { ...asOwner, 'content-type': 'application/json', 'x-request-id': 'r1', 'x-user-email': secret }
  const body = JSON.stringify({ reason: secret })
  await send(port, { method: 'POST', path: `${revokePath}?q=${secret}`, headers, body })
  await send(port, { method: 'POST', path: revokePath, headers: { authorization: `Bearer ${secret}` } })
  await send(port, { method: 'POST', path: revokePath, headers, body: JSON.stringify({ reason: [secret] }) })
  await send(port, { path: `/${secret}` })
  await send(port, { path: '/docs/static/index.css' })
  await close()

  assert.equal(log.length, 5)
  assert.ok(!JSON.stringify(log).includes(secret))
  const [revoked, unauthenticated, invalid, unknown, docs] = log.map(({ time, ms, ...line }) => {
    assert.equal(typeof ms, 'number')
    return line
  })
  const route = '/api/v1/tokens/{token_id}/revoke'
  const ids = { tokenId: OWNER.tokenId, businessId: BUSINESS }
  const line = { level: 30, requestId: 'r1', method: 'POST', route }
  assert.deepEqual(revoked, { ...line, status: 201, ...ids, msg: 'request' })
  assert.deepEqual(unauthenticated, {
    ...line,
    requestId: 'request-1',
    status: 401,
    error: 'not_authenticated',
    reason: 'malformed',
    msg: 'not authenticated',
  })
  assert.deepEqual(invalid, { ...line, status: 422, ...ids, reason: 'string_type', msg: 'request' })
  assert.equal(unknown?.error, 'route_not_found')
  assert.equal(docs?.status, 200)
})

test('an unexpected fault is 500, its cause goes to the log', async () => {
  const [route] = sampleRoutes
  assert.ok(route)
  let fault: Error = new Error('the disk is on fire')
  const handler = () => Promise.reject(fault)
  const { port, log, close } = await startApp({ routes: [{ ...route, handler }] })
  const received = await send(port, { method: 'POST', path: revokePath, headers: asOwner })
  fault = new Unavailable('storage_unavailable', { cause: fault })
  const unavailable = await send(port, { method: 'POST', path: revokePath, headers: asOwner })
  await close()

  assert.equal(received.status, 500)
  assert.equal(received.text, '{"detail":"The service failed; the request id leads to the cause in its log"}')
  assert.equal(unavailable.status, 503)
  assert.equal(unavailable.headers['retry-after'], '1')
  assert.deepEqual(
    log.map(({ level, error }) => [level, error]),
    [
      [50, 'internal'],
      [50, 'storage_unavailable'],
    ],
  )
  assert.match(JSON.stringify(log[0]), /the disk is on fire/)
})

test('health, keys, document and reference are there for everybody', async () => {
  const get = (path: string) => send(running.port, { path })
  assert.equal((await get('/health/live')).text, '{"status":"live"}')
  assert.equal((await get('/health/ready')).text, '{"status":"ready"}')
  assert.equal((await get('/.well-known/jwks.json')).text, '{"keys":[]}')
  assert.match((await get('/openapi.json')).text, /^{"openapi":"3.1.0"/)
  const docs = await get('/docs')
  assert.equal(docs.status, 200)
  assert.match(String(docs.headers['content-security-policy']), /^default-src 'self'/)
  assert.ok(docs.headers['x-request-id'])
  assert.equal((await get('/docs/static/missing.js')).status, 404)
})

test('a node that may not decide is alive but not ready', async () => {
  const { port, close } = await startApp({ isReady: () => false })
  assert.equal((await send(port, { path: '/health/live' })).status, 200)
  assert.equal((await send(port, { path: '/health/ready' })).status, 503)
  await close()
})
