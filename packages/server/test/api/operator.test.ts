import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { decodeBase64url, ERRORS, type ErrorCode } from '@rescind/protocol'
import type { Answered } from '../service/answered.ts'
import { addBusiness, addMember, assertAlive, expect, type Holder, issued, issueTo } from '../service/provisioning.ts'
import { type CallOptions, runService } from '../service/running-service.ts'

const service = await runService({ after }, { maxActiveTokens: 1000 })
const { call, businessId, ownerToken, operatorToken } = service

/** The operator for itself, without a business. */
const itself = { token: operatorToken, business: null }

test('a business is created, shown and renamed by an operator', async () => {
  const id = randomUUID()
  const path = `/api/v1/businesses/${id}`
  refusedAs('business_not_found', await call('GET', path, itself))
  const { code, data } = expect(200, await call('PUT', path, { ...itself, json: { name: 'Ärger & Söhne' } })).json
  assert.equal(code, 'BUSINESS_SAVED')
  assert.deepEqual(data, { id, name: 'Ärger & Söhne', created_at: data.created_at })
  const renamed = expect(200, await call('PUT', path, { ...itself, json: { name: 'Söhne' } })).json.data
  assert.deepEqual(renamed, { ...data, name: 'Söhne' })
  assert.deepEqual(expect(200, await call('GET', path, itself)).json, {
    success: true,
    message: 'One business.',
    code: 'BUSINESS_FOUND',
    data: renamed,
  })
  for (const json of [{}, { name: '' }, { name: null }, { name: 'x'.repeat(256) }, []]) {
    expect(422, await call('PUT', path, { ...itself, json }))
  }
})

test('below /businesses the header is absent or names the same business', async () => {
  const { userId } = await addMember(service, 'viewer')
  for (const path of [`/api/v1/businesses/${businessId}`, `/api/v1/businesses/${businessId}/members/${userId}`]) {
    for (const business of [null, businessId, businessId.toUpperCase()]) {
      expect(200, await call('GET', path, { token: operatorToken, business }))
    }
    refusedAs('business_header_mismatch', await call('GET', path, { token: operatorToken, business: randomUUID() }))
    refusedAs('business_header_invalid', await call('GET', path, { token: operatorToken, business: 'x' }))
    // A member's header is required everywhere.
    refusedAs('business_header_missing', await call('GET', path, { business: null }))
  }
})

test('an operator’s own tokens belong to no business and carry only what operators may', async () => {
  const created = expect(201, await call('POST', '/api/v1/tokens', { ...itself, json: { name: 'x' } })).json.data
  assert.deepEqual(created.token_info.scopes, ['operator', 'introspect', 'feed'])
  const claims = claimsOf(created.token)
  assert.equal('business_id' in claims, false)
  assert.equal(claims.sub, claimsOf(operatorToken).sub)
  for (const scopes of [['operator'], ['introspect'], ['feed'], []]) {
    const { token } = issued(await call('POST', '/api/v1/tokens', { ...itself, json: { name: 'x', scopes } }))
    assert.equal(claimsOf(token).scope, scopes.join(' '))
  }
  for (const scope of ['tokens:read', 'tokens:write', 'members:write', 'reports:read']) {
    const json = { name: 'x', scopes: [scope] }
    refusedAs('scope_not_held', await call('POST', '/api/v1/tokens', { ...itself, json }))
  }
})

test('for itself an operator reaches its own tokens only, with or without a business header', async () => {
  const own = issued(await call('POST', '/api/v1/tokens', { ...itself, json: { name: 'mine' } }))
  const member = await issueTo(service, await addMember(service, 'member'))
  for (const business of [null, businessId]) {
    const as = { token: operatorToken, business }
    const { items } = expect(200, await call('GET', '/api/v1/tokens?limit=1000', as)).json.data
    assert.ok(items.some(({ id }: { id: string }) => id === own.id))
    assert.ok(!items.some(({ id }: { id: string }) => id === member.id))
    expect(200, await call('GET', `/api/v1/tokens/${own.id}`, as))
    refusedAs('token_not_found', await call('GET', `/api/v1/tokens/${member.id}`, as))
    refusedAs('token_not_found', await call('POST', `/api/v1/tokens/${member.id}/revoke`, as))
    refusedAs('role_insufficient', await call('GET', '/api/v1/tokens?all=true', as))
  }
  await assertAlive(service, member, true)
  refusedAs('token_not_found', await call('GET', `/api/v1/tokens/${own.id}`))
  const { data } = expect(201, await call('POST', `/api/v1/tokens/${own.jti}/revoke`, itself)).json
  assert.equal(data.revoked_by, 'operator@localhost')
  await assertAlive(service, own, false)
})

test('with x-user-email an operator acts for that member, with that member’s reach', async () => {
  const owner = await addMember(service, 'owner')
  const viewer = await addMember(service, 'viewer')
  const target = await issueTo(service, await addMember(service, 'member'))
  const viewers = await issueTo(service, viewer)
  assert.equal(claimsOf(viewers.token).sub, viewer.userId)
  assert.equal(claimsOf(viewers.token).scope, 'tokens:read')

  const revoke = (id: string, holder: Holder) => call('POST', `/api/v1/tokens/${id}/revoke`, as(holder))
  expect(404, await call('GET', `/api/v1/tokens/${target.id}`, as(viewer)))
  refusedAs('not_your_token', await revoke(target.id, viewer))
  refusedAs('role_insufficient', await call('GET', '/api/v1/tokens?all=true', as(viewer)))
  assert.equal(expect(201, await revoke(viewers.id, viewer)).json.data.revoked_by, viewer.email)
  expect(200, await call('GET', `/api/v1/tokens/${target.id}`, as(owner)))
  assert.equal(expect(201, await revoke(target.id, owner)).json.data.revoked_by, owner.email)
})

test('the member an operator acts for is found in any case, and only in the selected business', async () => {
  const holder = await addMember(service, 'member')
  const elsewhere = await addBusiness(service)
  const headers = { 'x-user-email': ` ${holder.email.toUpperCase()} ` }
  expect(200, await call('GET', '/api/v1/tokens', { token: operatorToken, headers }))

  const { userId } = await addMember(service, 'member', elsewhere)
  const { id } = await issueTo(service, holder)
  const members = `/api/v1/businesses/${elsewhere}/members/${userId}`
  const requests: readonly (readonly [string, string, unknown?])[] = [
    ['GET', '/api/v1/tokens'],
    ['POST', '/api/v1/tokens', { name: 'x' }],
    ['GET', `/api/v1/tokens/${id}`],
    ['POST', `/api/v1/tokens/${id}/revoke`],
    ['POST', '/api/v1/tokens/verify', { token: 'x' }],
    ['GET', `/api/v1/businesses/${elsewhere}`],
    ['POST', `/api/v1/businesses/${elsewhere}/revoke-tokens`],
    ['GET', members],
    ['PUT', members, { email: 'a@b', role: 'member' }],
    ['DELETE', members],
    ['POST', `${members}/revoke-tokens`],
  ]
  for (const [method, path, json] of requests) {
    const options = { token: operatorToken, business: elsewhere, headers, ...(json !== undefined && { json }) }
    refusedAs('member_not_found', await call(method, path, options))
  }
  const nowhere = { token: operatorToken, business: randomUUID(), headers }
  refusedAs('business_not_found', await call('GET', '/api/v1/tokens', nowhere))
  refusedAs('business_header_missing', await call('GET', '/api/v1/tokens', { ...nowhere, business: null }))
})

test('what an operator does to members while acting for one is attributed to that one', async () => {
  const admin = await addMember(service, 'admin')
  const lowered = await addMember(service, 'member')
  const removed = await addMember(service, 'member')
  const swept = await addMember(service, 'member')
  const tokens = [await issueTo(service, lowered), await issueTo(service, removed), await issueTo(service, swept)]
  const path = ({ userId }: Holder) => `/api/v1/businesses/${businessId}/members/${userId}`
  const viewer = { ...as(admin), json: { email: lowered.email, role: 'viewer' } }
  expect(200, await call('PUT', path(lowered), viewer))
  expect(200, await call('DELETE', path(removed), as(admin)))
  expect(200, await call('POST', `${path(swept)}/revoke-tokens`, as(admin)))
  for (const { id } of tokens) {
    const { data } = expect(201, await call('POST', `/api/v1/tokens/${id}/revoke`)).json
    assert.equal(data.revoked_by, admin.email)
  }
})

test('introspect and feed get onto a member’s token through an operator only, operator never', async () => {
  const holder = await addMember(service, 'owner')
  for (const scope of ['introspect', 'feed']) {
    refusedAs('scope_operator_only', await call('POST', '/api/v1/tokens', { json: { name: 'x', scopes: [scope] } }))
    const { token } = await issueTo(service, holder, { scopes: ['tokens:write', scope] })
    // Not even the holder of one hands it on, asked for or not.
    const json = { name: 'x', scopes: [scope] }
    refusedAs('scope_operator_only', await call('POST', '/api/v1/tokens', { token, json }))
    const { token: child } = issued(await call('POST', '/api/v1/tokens', { token, json: { name: 'x' } }))
    assert.equal(claimsOf(child).scope, 'tokens:write')
  }
  refusedAs('scope_operator_only', await call('POST', '/api/v1/tokens', { json: { name: 'x', scopes: ['operator'] } }))
  const json = { name: 'x', scopes: ['operator'] }
  refusedAs('scope_not_held', await call('POST', '/api/v1/tokens', { ...as(holder), json }))
})

test('keys: a rotation signs with a new key, tokens of the old one live until it is retired', async (t) => {
  const own = await runService(t)
  const operator = { token: own.operatorToken, business: null }
  const holder = await addMember(own, 'member')
  const keys = async () => expect(200, await own.call('GET', '/api/v1/keys', operator)).json.data.items
  const published = async () => {
    const response = await fetch(`${own.url}/.well-known/jwks.json`)
    return ((await response.json()) as { keys: { kid: string; alg: string }[] }).keys.map(({ kid, alg }) => [kid, alg])
  }

  const [first, ...others] = await keys()
  assert.deepEqual(others, [])
  assert.deepEqual([first.alg, first.signing, first.retired_at], ['EdDSA', true, null])
  const old = await issueTo(own, holder)
  assert.equal(kidOf(old.token), first.kid)
  refusedAs('key_in_use', await own.call('POST', `/api/v1/keys/${first.kid}/retire`, operator))

  const rotated = expect(
    200,
    await own.call('POST', '/api/v1/keys/rotate', { ...operator, json: { alg: 'ES256' } }),
  ).json
  assert.equal(rotated.code, 'KEY_ROTATED')
  assert.deepEqual([rotated.data.alg, rotated.data.signing], ['ES256', true])
  const fresh = await issueTo(own, holder)
  assert.equal(kidOf(fresh.token), rotated.data.kid)
  await assertAlive(own, old, true)
  await assertAlive(own, fresh, true)
  assert.deepEqual(await keys(), [{ ...first, signing: false }, rotated.data])
  assert.deepEqual(await published(), [
    [first.kid, 'EdDSA'],
    [rotated.data.kid, 'ES256'],
  ])

  // The operator's token is of the old key too: it needs one of the new before that ends.
  const successor = issued(await own.call('POST', '/api/v1/tokens', { ...operator, json: { name: 'x' } }))
  const next = { ...operator, token: successor.token }
  const retired = expect(200, await own.call('POST', `/api/v1/keys/${first.kid}/retire`, operator)).json
  assert.equal(retired.code, 'KEY_RETIRED')
  assert.ok(retired.data.retired_at)
  for (const token of [old.token, own.operatorToken, own.ownerToken]) await assertAlive(own, { token }, false)
  await assertAlive(own, fresh, true)
  assert.deepEqual(await published(), [[rotated.data.kid, 'ES256']])
  const again = expect(200, await own.call('POST', `/api/v1/keys/${first.kid}/retire`, next)).json
  assert.deepEqual(again.data, retired.data)
  refusedAs('key_not_found', await own.call('POST', '/api/v1/keys/..%2f..%2fetc/retire', next))
  refusedAs('key_in_use', await own.call('POST', `/api/v1/keys/${rotated.data.kid}/retire`, next))

  const { data: third } = expect(200, await own.call('POST', '/api/v1/keys/rotate', next)).json
  assert.equal(third.alg, 'EdDSA', 'the configured algorithm when none is named')
  expect(422, await own.call('POST', '/api/v1/keys/rotate', { ...next, json: { alg: 'none' } }))
  const restarted = await own.restart()
  assert.equal(kidOf((await issueWith(restarted.call, next, holder)).token), third.kid)
  await assertAlive(restarted, old, false)
  await assertAlive(restarted, fresh, true)
})

test('keys are an operator’s alone', async () => {
  for (const [method, path] of [
    ['GET', '/api/v1/keys'],
    ['POST', '/api/v1/keys/rotate'],
    ['POST', '/api/v1/keys/x/retire'],
  ] as const) {
    refusedAs('scope_missing', await call(method, path, { token: ownerToken }))
  }
})

async function issueWith(send: typeof call, options: CallOptions, { businessId: business, email }: Holder) {
  const headers = { 'x-user-email': email }
  return issued(await send('POST', '/api/v1/tokens', { ...options, business, headers, json: { name: 'x' } }))
}

function as({ businessId: business, email }: Holder): CallOptions {
  return { token: operatorToken, business, headers: { 'x-user-email': email } }
}

function claimsOf(token: string) {
  return JSON.parse(`${decodeBase64url(token.split('.')[1] ?? '')}`)
}

function kidOf(token: string): string {
  return JSON.parse(`${decodeBase64url(token.slice(3).split('.')[0] ?? '')}`).kid
}

function refusedAs(error: ErrorCode, answered: Answered): void {
  assert.deepEqual(answered.json, { detail: ERRORS[error].detail })
  assert.equal(answered.status, ERRORS[error].status)
}
