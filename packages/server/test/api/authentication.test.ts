import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { after, mock, test } from 'node:test'
import { decodeBase64url, encodeBase64url } from '@rescind/protocol'
import { addMember, assertAlive, expect, issued, issueTo } from '../service/provisioning.ts'
import { encodeRequest, openSocket, sendRaw } from '../service/raw-http.ts'
import { runService } from '../service/running-service.ts'

const UNAUTHENTICATED = '{"detail":"Not authenticated"}'
const DAY_MS = 86_400_000

const service = await runService({ after }, { maxActiveTokens: 1000, leaseSeconds: 2 })
const { url, call, businessId, ownerToken, operatorToken } = service

test('every credential that is no good gets the same 401, and only a presented one an error code', async (t) => {
  const foreign = await runService(t)
  const revoked = issued(await call('POST', '/api/v1/tokens', { json: { name: 'revoked' } }))
  expect(201, await call('POST', `/api/v1/tokens/${revoked.id}/revoke`))
  const [header = '', claims = '', signature = ''] = ownerToken.split('.')

  const credentials: readonly (readonly [what: string, headers: readonly string[], presented: boolean])[] = [
    ['none', [], false],
    ['an empty one', [''], false],
    ['a scheme alone', ['Bearer'], true],
    ['another scheme', [`Basic ${encodeBase64url('user:password')}`], true],
    ['a bare token', [ownerToken], true],
    ['no token at all', ['Bearer dz_'], true],
    ['a token without its prefix', [`Bearer ${ownerToken.slice(3)}`], true],
    ['a token of another service', [`Bearer ${foreign.ownerToken}`], true],
    ['a revoked token', [`Bearer ${revoked.token}`], true],
    ['a forged signature', [`Bearer ${header}.${claims}.${flipped(signature)}`], true],
    ['changed claims', [`Bearer ${header}.${flipped(claims)}.${signature}`], true],
    ['a token and more', [`Bearer ${ownerToken} ${ownerToken}`], true],
    ['two headers', [`Bearer ${ownerToken}`, `Bearer ${ownerToken}`], true],
    ['two headers, one empty', ['', `Bearer ${ownerToken}`], true],
    ['bytes beyond ASCII', ['Bearer dz_\u00e9'], true],
  ]
  const paths = [
    ['GET', '/api/v1/tokens'],
    ['POST', '/api/v1/tokens/not-a-uuid/revoke'],
    ['DELETE', `/api/v1/businesses/${businessId}/members/x`],
    ['GET', '/api/v1/keys'],
  ] as const
  for (const [what, authorization, presented] of credentials) {
    for (const [method, path] of paths) {
      const [answer] = await sendRaw(url, encodeRequest({ method, path, authorization }, true))
      assert.equal(answer?.status, 401, what)
      assert.equal(answer.body, UNAUTHENTICATED, what)
      const challenges = answer.headers.filter(([name]) => name.toLowerCase() === 'www-authenticate')
      assert.equal(challenges.length, 1, what)
      const [, challenge = ''] = challenges[0] ?? []
      assert.match(challenge, /^Bearer realm="[^"]+"(, error="invalid_token")?$/, what)
      assert.equal(challenge.includes('error="invalid_token"'), presented, what)
    }
  }
})

test('the Bearer scheme is found in any case and after several spaces', async () => {
  for (const scheme of ['bearer', 'BEARER', 'Bearer  ']) {
    const headers = { authorization: `${scheme} ${ownerToken}` }
    expect(200, await call('GET', '/api/v1/tokens', { token: null, headers }))
  }
})

test('an expired token is a 401, and can still be revoked', async (t) => {
  const { token, id } = issued(await call('POST', '/api/v1/tokens', { json: { name: 'short', expires_in_days: 1 } }))
  const issuedAtSec = JSON.parse(`${decodeBase64url(token.split('.')[1] ?? '')}`).iat
  mock.timers.enable({ apis: ['Date'] })
  t.after(() => mock.timers.reset())

  mock.timers.setTime(issuedAtSec * 1000 + DAY_MS - 1)
  await service.ready()
  expect(200, await call('GET', '/api/v1/tokens', { token }))
  mock.timers.setTime(issuedAtSec * 1000 + DAY_MS)
  const refused = expect(401, await call('GET', '/api/v1/tokens', { token }))
  assert.equal(refused.text, UNAUTHENTICATED)

  const revoked = expect(201, await call('POST', `/api/v1/tokens/${id}/revoke`))
  assert.equal(revoked.json.code, 'TOKEN_REVOKED')
  const verified = await call('POST', '/api/v1/tokens/verify', { token: operatorToken, json: { token } })
  assert.equal(verified.json.data.reason, 'revoked', 'revoked says more than expired')
})

test('a token that dies while its request is running writes nothing and is a 401 like any other', async () => {
  const holder = await addMember(service, 'member')
  const caller = await issueTo(service, holder)
  const before = await tokensOf(holder.email)
  const request = encodeRequest(
    {
      method: 'POST',
      path: '/api/v1/tokens',
      authorization: [`Bearer ${caller.token}`],
      headers: { 'x-business-id': businessId, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'a successor' }),
    },
    true,
  )
  const socket = await openSocket(url)
  const received = text(socket)
  // The token is good when the headers arrive; the request goes on when the last byte of the body does.
  socket.write(request.subarray(0, -1))
  await assertAlive(service, caller, true)
  expect(201, await call('POST', `/api/v1/tokens/${caller.id}/revoke`))
  socket.write(request.subarray(-1))

  const answer = await received
  assert.match(answer, /^HTTP\/1.1 401 /)
  assert.match(answer, /^www-authenticate: Bearer realm="rescind", error="invalid_token"\r$/m)
  assert.ok(answer.endsWith(`\r\n\r\n${UNAUTHENTICATED}`))
  assert.equal(await tokensOf(holder.email), before)
})

test('every answer names its request, by the id of the client when that is harmless', async () => {
  const named = await call('GET', '/api/v1/tokens', { headers: { 'x-request-id': 'job-17' } })
  assert.equal(named.headers.get('x-request-id'), 'job-17')
  const renamed = await call('GET', '/api/v1/tokens', { token: null, headers: { 'x-request-id': ownerToken } })
  assert.match(renamed.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
})

async function tokensOf(email: string): Promise<number> {
  const query = new URLSearchParams({ user_email: email, include_revoked: 'true', include_total_count: 'true' })
  return expect(200, await call('GET', `/api/v1/tokens?${query}`)).json.data.total
}

/** The segment with one bit of its first byte turned over: still canonical base64url. */
function flipped(segment: string): string {
  const bytes = decodeBase64url(segment)
  assert.ok(bytes)
  bytes[0] = (bytes[0] ?? 0) ^ 1
  return encodeBase64url(bytes)
}
