import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  decodeServiceMessage,
  encodeVerifierMessage,
  FEED_CLOSE,
  FEED_PATH,
  MAX_FEED_MESSAGE_BYTES,
} from '@rescind/protocol'
import { addMember, expect, issueTo } from '../service/provisioning.ts'
import { encodeRequest, type RawAnswer, sendRaw } from '../service/raw-http.ts'
import { runService } from '../service/running-service.ts'
import { attach, feedToken } from './attached.ts'
import { handshake, openFeed } from './handshake.ts'

const service = await runService({ after }, { leaseSeconds: 2, shutdownSeconds: 1, maxActiveTokens: 1000 })
const { url, call, operatorToken, ownerToken } = service

const HELLO = encodeVerifierMessage({ type: 'hello', version: 1, position: null, formerly: [] })

test('whoever asks for the feed without a good credential gets the answer that every path gives', async () => {
  const dead = await feedToken(service)
  expect(201, await call('POST', `/api/v1/tokens/${dead.id}/revoke`, { token: operatorToken, business: null }))
  for (const authorization of [
    [],
    [''],
    ['Bearer dz_'],
    [`Basic ${operatorToken}`],
    [`Bearer ${dead.token}`],
    [`Bearer ${operatorToken}`, `Bearer ${operatorToken}`],
    ['', `Bearer ${operatorToken}`],
  ]) {
    const asked = { method: 'GET', path: '/api/v1/keys', authorization, headers: { 'x-request-id': 'same' } }
    const [elsewhere] = await sendRaw(url, encodeRequest(asked, true))
    const answer = await handshake(url, authorization, { headers: { 'x-request-id': 'same' } })
    assert.equal(answer?.status, 401)
    assert.deepEqual(undated(answer), undated(elsewhere))
    assert.deepEqual(
      undated(await handshake(url, authorization, { headers: { ...WITHOUT_UPGRADE, 'x-request-id': 'same' } })),
      undated(elsewhere),
    )
  }
})

test('only the scope feed opens the feed, whoever holds it and without naming a business', async (t) => {
  const operator = { token: operatorToken, business: null }
  const json = { name: 'no feed', scopes: ['operator', 'introspect'] }
  const { token } = expect(201, await call('POST', '/api/v1/tokens', { ...operator, json })).json.data
  for (const each of [token, ownerToken]) {
    const answer = await handshake(url, [`Bearer ${each}`])
    assert.equal(answer?.status, 403)
    assert.equal(answer.body, '{"detail":"The token does not permit this"}')
  }
  const member = await issueTo(service, await addMember(service, 'viewer'), { scopes: ['feed'] })
  const verifier = await attach(t, url, member.token)
  assert.equal(verifier.verify(ownerToken).status, 'valid')
})

test('what does not become a WebSocket is answered as any other request', async () => {
  const authorization = [`Bearer ${operatorToken}`]
  const cases: readonly [expected: number, changes: NonNullable<Parameters<typeof handshake>[2]>][] = [
    [426, { headers: WITHOUT_UPGRADE }],
    [426, { headers: { upgrade: 'h2c', connection: 'upgrade, close' } }],
    [426, { headers: { 'sec-websocket-version': '8' } }],
    [426, { headers: { 'sec-websocket-version': '' } }],
    [400, { headers: { 'sec-websocket-key': 'too short' } }],
    [400, { headers: { 'sec-websocket-protocol': ',' } }],
    [405, { method: 'POST', headers: CLOSING }],
    [404, { path: `${FEED_PATH}/`, headers: CLOSING }],
    [404, { path: '/api/v1/revocations', headers: CLOSING }],
    [200, { path: '/health/live', headers: CLOSING }],
  ]
  for (const [expected, changes] of cases) {
    const answer = await handshake(url, authorization, changes)
    assert.equal(answer?.status, expected, JSON.stringify(changes))
    assert.match(headerOf(answer, 'x-request-id') ?? '', /^[0-9a-f-]{36}$/)
    assert.equal(headerOf(answer, 'content-type'), 'application/json')
    if (expected !== 426) continue
    assert.equal(headerOf(answer, 'upgrade'), 'websocket')
    assert.equal(answer?.body, '{"detail":"This path takes WebSocket connections only"}')
  }
  const old = await handshake(url, authorization, { headers: { 'sec-websocket-version': '12' } })
  assert.equal(headerOf(old, 'sec-websocket-version'), '13')
})

test('a node that may not decide lets nobody in', async (t) => {
  // A clock that jumps whenever it is read leaves no lease standing, however soon it is renewed.
  const { now } = Date
  let jumps = 0
  const clock = t.mock.method(Date, 'now', () => now() + 60_000 * ++jumps)
  const answer = await handshake(url, [`Bearer ${operatorToken}`])
  assert.equal(answer?.status, 503)
  assert.equal(headerOf(answer, 'retry-after'), '1')
  assert.equal(answer.body, '{"detail":"This node may not decide at the moment; retry"}')
  clock.mock.restore()
  await service.ready()
})

test('a connection on which nobody asks for the feed, or nobody says hello, is closed', async () => {
  const { closed } = await openFeed(url, operatorToken)
  const [unasked] = await sendRaw(url, Buffer.from(`GET ${FEED_PATH} HTTP/1.1\r\nhost: localhost\r\n`))
  assert.equal(unasked?.status, 408)
  assert.equal(await closed, FEED_CLOSE.silent)
})

test('a first message that is no hello closes the connection', async () => {
  const before = await openFeed(url, operatorToken)
  before.send(encodeVerifierMessage({ type: 'renew', nonce: 1 }))
  assert.equal(await before.closed, FEED_CLOSE.bad_message)
  for (const message of ['', '{}', HELLO.slice(0, -1), ` ${HELLO}`, new TextEncoder().encode(HELLO)]) {
    const { send, closed } = await openFeed(url, operatorToken)
    send(message)
    assert.equal(await closed, FEED_CLOSE.bad_message)
  }
})

test('every connection is called by a random id, which tells nothing of any other', async () => {
  const ids = new Set<string>()
  for (let n = 0; n < 8; n++) {
    const { send, firstHeard } = await openFeed(url, operatorToken)
    send(HELLO)
    const welcome = decodeServiceMessage(await firstHeard)
    assert.ok(welcome?.type === 'welcome')
    assert.match(welcome.verifierId, /^.{8}-.{4}-4.{3}-[89ab].{3}-.{12}$/)
    ids.add(welcome.verifierId)
    send(encodeVerifierMessage({ type: 'goodbye' }))
  }
  assert.equal(ids.size, 8)
})

test('a message that is too long closes its connection and disturbs nobody else', async (t) => {
  const verifier = await attach(t, url, operatorToken)
  for (const length of [MAX_FEED_MESSAGE_BYTES + 1, 50 * 1024 * 1024]) {
    const { send, closed } = await openFeed(url, operatorToken)
    send('x'.repeat(length))
    // The rest of the message may still be on its way when the connection goes.
    assert.ok([1009, 1006].includes(await closed))
  }
  assert.equal(verifier.holds(), true)
  assert.equal(verifier.verify(ownerToken).status, 'valid')
})

const CLOSING = { connection: 'upgrade, close' }
const WITHOUT_UPGRADE = { connection: 'close', upgrade: '' }

/** The whole answer but for its date. */
function undated(answer: RawAnswer | undefined) {
  return { ...answer, headers: answer?.headers.filter(([name]) => name.toLowerCase() !== 'date') }
}

function headerOf(answer: RawAnswer | undefined, name: string): string | undefined {
  return answer?.headers.find(([each]) => each.toLowerCase() === name)?.[1]
}
