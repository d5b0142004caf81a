import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { ERRORS, type ErrorCode } from '@rescind/protocol'
import { addBusiness, addMember, issueTo } from '../service/provisioning.ts'
import { type CallOptions, runService } from '../service/running-service.ts'

const service = await runService({ after }, { maxActiveTokens: 1000 })
const { call, businessId, operatorToken } = service

const otherBusinessId = await addBusiness(service)
const member = await addMember(service, 'member')
const memberToken = await issueTo(service, member)
const readOnlyToken = await issueTo(service, member, { scopes: ['tokens:read'] })
const mateToken = await issueTo(service, await addMember(service, 'member'))
const strangerToken = await issueTo(service, await addMember(service, 'owner', otherBusinessId))

const REVOKE_NOTHING = '/api/v1/tokens/not-a-uuid/revoke'
const REVOKE_UNKNOWN = `/api/v1/tokens/${randomUUID()}/revoke`
const TOO_LONG = { reason: 'x'.repeat(501) }
const TOO_LARGE = { reason: 'x'.repeat(65 * 1024) }

/** Requests that are wrong in at least two ways: the first check of the contract's order must win. */
const CASES: readonly (readonly [what: string, error: ErrorCode | 422, string, string, CallOptions])[] = [
  ['401 before the header', 'not_authenticated', 'GET', '/api/v1/tokens', { token: null, business: null }],
  ['401 before another business', 'not_authenticated', 'GET', '/api/v1/tokens', { token: 'x', business: randomUUID() }],
  ['401 before the path', 'not_authenticated', 'POST', REVOKE_NOTHING, { token: null }],
  ['401 before the body', 'not_authenticated', 'POST', REVOKE_UNKNOWN, { token: null, json: TOO_LONG }],
  ['401 before the size of the body', 'not_authenticated', 'POST', REVOKE_UNKNOWN, { token: null, json: TOO_LARGE }],
  ['401 before 404', 'not_authenticated', 'POST', REVOKE_UNKNOWN, { token: null }],

  [
    'a missing header before the scope',
    'business_header_missing',
    'POST',
    '/api/v1/tokens',
    { token: readOnlyToken.token, business: null },
  ],
  [
    'a bad header before the scope',
    'business_header_invalid',
    'POST',
    '/api/v1/tokens',
    { token: readOnlyToken.token, business: 'x' },
  ],
  ['a missing header before the path', 'business_header_missing', 'POST', REVOKE_NOTHING, { business: null }],
  ['a bad header before the path', 'business_header_invalid', 'POST', REVOKE_NOTHING, { business: 'x' }],
  ['a missing header before the body', 'business_header_missing', 'POST', REVOKE_UNKNOWN, { business: null, json: [] }],
  [
    'a missing header of an operator who acts for a member before the path',
    'business_header_missing',
    'POST',
    REVOKE_NOTHING,
    { token: operatorToken, business: null, headers: { 'x-user-email': member.email } },
  ],
  [
    'a missing header of an operator who acts for a member before the body',
    'business_header_missing',
    'POST',
    '/api/v1/tokens',
    { token: operatorToken, business: null, headers: { 'x-user-email': member.email }, json: {} },
  ],
  [
    'a header that differs from the path before the body',
    'business_header_mismatch',
    'PUT',
    `/api/v1/businesses/${randomUUID()}`,
    { token: operatorToken, json: {} },
  ],

  ['another business before the scope', 'other_business', 'POST', '/api/v1/tokens', readOnly(otherBusinessId)],
  ['another business before the path', 'other_business', 'POST', REVOKE_NOTHING, { business: otherBusinessId }],
  [
    'another business before the body',
    'other_business',
    'POST',
    '/api/v1/tokens',
    { business: randomUUID(), json: {} },
  ],
  ['another business before 404', 'other_business', 'GET', `/api/v1/businesses/${randomUUID()}`, {}],
  ['the scope before the path', 'scope_missing', 'POST', REVOKE_NOTHING, readOnly()],
  ['the scope before the body', 'scope_missing', 'POST', '/api/v1/tokens', { ...readOnly(), json: {} }],
  [
    'the scope before the size of the body',
    'scope_missing',
    'POST',
    '/api/v1/tokens',
    { ...readOnly(), json: TOO_LARGE },
  ],
  ['the scope before 404', 'scope_missing', 'POST', REVOKE_UNKNOWN, readOnly()],
  [
    'the scope before the role',
    'scope_missing',
    'POST',
    `/api/v1/businesses/${businessId}/members/x/revoke-tokens`,
    readOnly(),
  ],

  ['the path before the body', 'path_id_invalid', 'POST', REVOKE_NOTHING, { json: [] }],
  ['the path before the size of the body', 'path_id_invalid', 'POST', REVOKE_NOTHING, { json: TOO_LARGE }],
  [
    'a bad member id before the body',
    'path_id_invalid',
    'PUT',
    `/api/v1/businesses/${businessId}/members/x`,
    { json: {} },
  ],
  ['a bad business id', 'path_id_invalid', 'PUT', '/api/v1/businesses/x', { token: operatorToken, json: {} }],

  ['the body before 404', 422, 'POST', REVOKE_UNKNOWN, { json: TOO_LONG }],
  ['the query before the role', 422, 'GET', '/api/v1/tokens?all=true&limit=0', { token: memberToken.token }],
  ['the body before the grant', 422, 'POST', '/api/v1/tokens', { json: { scopes: ['operator'] } }],
  [
    'the body before ownership',
    422,
    'POST',
    `/api/v1/tokens/${mateToken.id}/revoke`,
    { token: memberToken.token, json: TOO_LONG },
  ],

  [
    '404 before ownership: a token of another business',
    'token_not_found',
    'POST',
    `/api/v1/tokens/${strangerToken.id}/revoke`,
    { token: memberToken.token },
  ],
  ['404 before ownership: no token', 'token_not_found', 'POST', REVOKE_UNKNOWN, { token: memberToken.token }],
  [
    'ownership at last',
    'not_your_token',
    'POST',
    `/api/v1/tokens/${mateToken.id}/revoke`,
    { token: memberToken.token },
  ],
]

for (const [what, error, method, path, options] of CASES) {
  test(`checks come in the contract's order: ${what}`, async () => {
    const answered = await call(method, path, options)
    if (error === 422) {
      assert.equal(answered.status, 422, answered.text)
      assert.ok(Array.isArray(answered.json.detail))
    } else {
      assert.equal(answered.status, ERRORS[error].status, answered.text)
      assert.deepEqual(answered.json, { detail: ERRORS[error].detail })
    }
  })
}

/** A caller who is a member, with a token that may only read. */
function readOnly(business?: string): CallOptions {
  return { token: readOnlyToken.token, ...(business !== undefined && { business }) }
}
