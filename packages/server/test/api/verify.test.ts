import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, mock, test } from 'node:test'
import { decodeBase64url, ERRORS, encodeBase64url, REJECTION_REASONS } from '@rescind/protocol'
import { addBusiness, addMember, expect, issued, issueTo } from '../service/provisioning.ts'
import { type CallOptions, runService } from '../service/running-service.ts'

const service = await runService({ after }, { maxActiveTokens: 1000, leaseSeconds: 2 })
const { call, businessId, operatorToken } = service

const itself: CallOptions = { token: operatorToken, business: null }
const holder = await addMember(service, 'member')
const elsewhere = await addBusiness(service)
const stranger = await issueTo(service, await addMember(service, 'owner', elsewhere))

test('the verdict on a good token is its claims', async () => {
  const target = await issueTo(service, holder, { scopes: ['tokens:read', 'reports:read'] })
  const answered = expect(
    200,
    await call('POST', '/api/v1/tokens/verify', { ...itself, json: { token: target.token } }),
  )
  assert.equal(answered.json.code, 'TOKEN_VERIFIED')
  assert.equal(answered.headers.get('cache-control'), 'no-store')
  const { status: _, ...claims } = claimsOf(target.token)
  assert.deepEqual(answered.json.data, { ...claims, status: 'valid' })
  assert.equal(answered.json.data.business_id, businessId)
  assert.equal('business_id' in (await verify({ token: operatorToken })), false)
})

test('business and scopes are checked when they are asked for', async () => {
  const { token } = await issueTo(service, holder, { scopes: ['tokens:read', 'reports:read'] })
  assert.equal((await verify({ token, business_id: businessId, scopes: ['reports:read'] })).status, 'valid')
  assert.equal((await verify({ token, business_id: null, scopes: null })).status, 'valid')
  assert.equal((await verify({ token, scopes: [] })).status, 'valid')
  assert.equal((await verify({ token, business_id: elsewhere })).reason, 'wrong_business')
  assert.equal((await verify({ token: operatorToken, business_id: businessId })).reason, 'wrong_business')
  assert.equal((await verify({ token, scopes: ['reports:read', 'reports:write'] })).reason, 'insufficient_scope')
})

test('every rejection is an answer with a reason of the closed list', async (t) => {
  const foreign = await runService(t)
  const target = await issueTo(service, holder, { expires_in_days: 1 })
  const revoked = await issueTo(service, holder)
  expect(201, await call('POST', `/api/v1/tokens/${revoked.id}/revoke`))
  const [header = '', claims = '', signature = ''] = target.token.split('.')
  const forged = encodeBase64url(Buffer.alloc(64))
  for (const [token, reason] of [
    ['', 'malformed'],
    ['dz_', 'malformed'],
    [`${target.token} `, 'malformed'],
    [`dz_${'a'.repeat(9000)}`, 'malformed'],
    [`${target.token}\u0000`, 'malformed'],
    [foreign.ownerToken, 'unknown_key'],
    [`${header}.${claims}.${forged}`, 'bad_signature'],
    [`${header}.${signature}.${signature}`, 'bad_signature'],
    [revoked.token, 'revoked'],
  ] as const) {
    assert.deepEqual(await verify({ token }), { status: 'rejected', reason })
    assert.ok(REJECTION_REASONS.includes(reason))
  }
  mock.timers.enable({ apis: ['Date'], now: claimsOf(target.token).exp * 1000 })
  t.after(() => mock.timers.reset())
  await service.ready()
  assert.deepEqual(await verify({ token: target.token }), { status: 'rejected', reason: 'expired' })
})

test('a member with introspect or feed asks about tokens of the same business', async () => {
  for (const scope of ['introspect', 'feed']) {
    const { token } = await issueTo(service, await addMember(service, 'viewer'), { scopes: [scope] })
    const ask = (json: object) => call('POST', '/api/v1/tokens/verify', { token, json })
    const target = await issueTo(service, holder)
    const verdict = async (json: object) => expect(200, await ask(json)).json.data
    assert.equal((await verdict({ token: target.token })).status, 'valid')
    assert.equal((await verdict({ token: target.token, business_id: businessId })).status, 'valid')
    assert.deepEqual(await verdict({ token: stranger.token }), { status: 'rejected', reason: 'wrong_business' })
    assert.deepEqual(await verdict({ token: operatorToken }), { status: 'rejected', reason: 'wrong_business' })
    const refused = expect(403, await ask({ token: stranger.token, business_id: elsewhere }))
    assert.equal(refused.json.detail, ERRORS.other_business.detail)
  }
})

test('an operator who acts for a member asks about tokens of that member’s business', async () => {
  const headers = { 'x-user-email': holder.email }
  const ask = (json: object) => call('POST', '/api/v1/tokens/verify', { token: operatorToken, headers, json })
  const target = await issueTo(service, holder)
  assert.equal(expect(200, await ask({ token: target.token })).json.data.status, 'valid')
  assert.equal(expect(200, await ask({ token: stranger.token })).json.data.reason, 'wrong_business')
  expect(403, await ask({ token: stranger.token, business_id: elsewhere }))
})

test('neither operator nor any other scope stands in for introspect', async () => {
  const json = { name: 'x', scopes: ['operator'] }
  const { token } = issued(await call('POST', '/api/v1/tokens', { ...itself, json }))
  const owner = await issueTo(service, await addMember(service, 'owner'))
  const askOwner = await call('POST', '/api/v1/tokens/verify', { token: owner.token, json: { token } })
  const askOperator = await call('POST', '/api/v1/tokens/verify', { ...itself, token, json: { token } })
  for (const answered of [askOwner, askOperator]) {
    assert.equal(expect(403, answered).json.detail, ERRORS.scope_missing.detail)
  }
})

test('what cannot be asked is a 422', async () => {
  for (const json of [
    {},
    { token: null },
    { token: 7 },
    { token: 'x', business_id: 'x' },
    { token: 'x', scopes: 'a' },
  ]) {
    expect(422, await call('POST', '/api/v1/tokens/verify', { ...itself, json }))
  }
})

test('a token that is asked about counts as used', async (t) => {
  const own = await runService(t)
  const target = await issueTo(own, await addMember(own, 'member'))
  const json = { token: target.token }
  expect(200, await own.call('POST', '/api/v1/tokens/verify', { token: own.operatorToken, business: null, json }))
  const restarted = await own.restart()
  const { data } = expect(200, await restarted.call('GET', `/api/v1/tokens/${target.id}`)).json
  assert.notEqual(data.last_used_at, null)
})

test('only POST: a GET of the same path looks for a token of that name', async () => {
  const answered = expect(400, await call('GET', '/api/v1/tokens/verify'))
  assert.equal(answered.json.detail, ERRORS.path_id_invalid.detail)
  expect(404, await call('GET', `/api/v1/tokens/${randomUUID()}`))
})

async function verify(json: object) {
  return expect(200, await call('POST', '/api/v1/tokens/verify', { ...itself, json })).json.data
}

function claimsOf(token: string) {
  return JSON.parse(`${decodeBase64url(token.split('.')[1] ?? '')}`)
}
