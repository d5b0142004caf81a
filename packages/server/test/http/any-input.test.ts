import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { asOwner, openSocket, type Running, readToEnd, send, startApp, TOKEN_ID } from './fixture.ts'

let running: Running
before(async () => {
  running = await startApp({ limits: { headersTimeoutMs: 50, requestTimeoutMs: 50, timeoutCheckMs: 10 } })
})
after(() => running.close())

const SEED = 20261122
const types = fc.constantFrom('application/json', 'application/problem+json', 'text/plain', 'x', '')
const paths = fc.constantFrom('/api/v1/tokens', `/api/v1/tokens/${TOKEN_ID}/revoke`)
const json = fc.json({ maxDepth: 3 })
const fields = fc.record(
  {
    name: fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'binary' })),
    description: fc.jsonValue({ maxDepth: 2 }),
    expires_in_days: fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.double(), fc.string({ unit: 'binary' })),
    scopes: fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.array(fc.string())),
    reason: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 2 })),
    ['__proto__']: fc.jsonValue({ maxDepth: 1 }),
  },
  { requiredKeys: [] },
)
const body = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  json.map((text) => Buffer.from(text)),
  fc.tuple(json, fc.nat(), fc.nat(255)).map(([text, at, byte]) => {
    const bytes = Buffer.from(text)
    if (bytes.length > 0) bytes[at % bytes.length] = byte
    return bytes
  }),
  fields.map((record) => Buffer.from(JSON.stringify(record))),
)

test('no body of any type makes the service fail', async () => {
  await fc.assert(
    fc.asyncProperty(paths, types, body, async (path, type, bytes) => {
      const headers = { ...asOwner, 'content-type': type }
      const { status, text } = await send(running.port, { method: 'POST', path, headers, body: bytes })
      assert.ok([201, 400, 422].includes(status), `${status} ${text}`)
      JSON.parse(text)
    }),
    { seed: SEED, numRuns: 400 },
  )
})

test('no query makes the service fail', async () => {
  const name = fc.constantFrom('limit', 'cursor', 'direction', 'descending', '__proto__', 'zz')
  const value = fc.oneof(fc.webQueryParameters(), fc.constantFrom('%', '%ff', '+', '=', '1&limit=2'))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 4 }), async (pairs) => {
      const path = `/api/v1/tokens?${pairs.map(([key, text]) => `${key}=${text}`).join('&')}`
      const { status, text } = await send(running.port, { path, headers: asOwner })
      assert.ok([200, 422].includes(status), `${status} ${text}`)
    }),
    { seed: SEED, numRuns: 300 },
  )
})

test('no path and no header makes the service fail', async () => {
  const header = fc.stringMatching(/^[!-~\u0080-\u00ff]{0,40}$/)
  await fc.assert(
    fc.asyncProperty(fc.webPath(), header, header, header, async (path, authorization, business, email) => {
      const headers = { authorization, 'x-business-id': business, 'x-user-email': email }
      const { status, text } = await send(running.port, { path: path || '/', headers })
      assert.ok(status < 500, `${status} ${text}`)
      const owned = { ...headers, authorization: asOwner.authorization }
      const listed = await send(running.port, { path: '/api/v1/tokens', headers: owned })
      assert.equal(listed.status, 400)
    }),
    { seed: SEED, numRuns: 200 },
  )
})

test('no bytes on a connection make the service fail', async () => {
  const line = fc.constantFrom(
    'GET / HTTP/1.1\r\n',
    'POST /api/v1/tokens HTTP/1.1\r\n',
    'host: x\r\n',
    '\r\n',
    ' ',
    ':',
  )
  const noise = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(line, noise), { minLength: 1, maxLength: 8 }), async (parts) => {
      const socket = await openSocket(running.port)
      const answer = readToEnd(socket)
      socket.end(Buffer.from(parts.join(''), 'latin1'))
      assert.doesNotMatch(await answer, /^HTTP\/1\.1 5/m)
    }),
    { seed: SEED, numRuns: 200 },
  )
})
