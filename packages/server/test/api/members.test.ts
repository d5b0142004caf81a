import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { ERRORS, type ErrorCode } from '@rescind/protocol'
import type { Answered } from '../service/answered.ts'
import {
  addBusiness,
  addMember,
  assertAlive,
  expect,
  type Holder,
  issueTo,
  saveMember,
} from '../service/provisioning.ts'
import { runService } from '../service/running-service.ts'

const service = await runService({ after }, { maxActiveTokens: 1000 })
const { call, businessId, operatorToken } = service

test('a member is saved, shown and removed, each time as it is', async () => {
  const userId = randomUUID()
  const path = pathOf(userId)
  refusedAs('member_not_found', await call('GET', path))
  const { code, data } = expect(
    200,
    await call('PUT', path, { json: { email: 'Ada@Example.com', role: 'viewer' } }),
  ).json
  assert.equal(code, 'MEMBER_SAVED')
  assert.deepEqual(data, {
    business_id: businessId,
    user_id: userId,
    email: 'ada@example.com',
    role: 'viewer',
    created_at: data.created_at,
  })
  assert.match(data.created_at, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  assert.deepEqual(expect(200, await call('GET', path)).json.data, data)

  const changed = expect(200, await call('PUT', path, { json: { email: 'lady@example.com', role: 'member' } })).json
    .data
  assert.deepEqual(changed, { ...data, email: 'lady@example.com', role: 'member' })
  const removed = expect(200, await call('DELETE', path)).json
  assert.equal(removed.code, 'MEMBER_REMOVED')
  assert.deepEqual(removed.data, changed)
  refusedAs('member_not_found', await call('GET', path))
  refusedAs('member_not_found', await call('DELETE', path))
})

test('an email is one member’s in each business', async () => {
  const holder = await addMember(service, 'member')
  const elsewhere = await addBusiness(service)
  const email = holder.email.toUpperCase()
  const other = { ...holder, userId: randomUUID(), email }
  refusedAs('email_taken', await saveMember(service, other))
  refusedAs('email_taken', await call('PUT', pathOf(other.userId), { json: { email, role: 'member' } }))
  expect(200, await saveMember(service, { ...other, businessId: elsewhere }))
  expect(200, await saveMember(service, holder))
})

test('an email or role that is none is a 422', async () => {
  for (const json of [
    {},
    { email: 'a@b' },
    { role: 'member' },
    { email: 'a@b', role: 'operator' },
    { email: 'a@b', role: 'Owner' },
    { email: 'ab', role: 'member' },
    { email: 'a b@c', role: 'member' },
    { email: 'a@b@c', role: 'member' },
    { email: `${'x'.repeat(260)}@b`, role: 'member' },
    { email: null, role: 'member' },
    [],
  ]) {
    expect(422, await call('PUT', pathOf(randomUUID()), { json }))
  }
})

test('a lower role revokes the tokens that carry more than it allows, and no other', async () => {
  const admin = await addMember(service, 'admin')
  const full = await issueTo(service, admin)
  const members = await issueTo(service, admin, { scopes: ['members:write'] })
  const writing = await issueTo(service, admin, { scopes: ['tokens:write', 'reports:read'] })
  const reading = await issueTo(service, admin, { scopes: ['tokens:read', 'introspect'] })
  const application = await issueTo(service, admin, { scopes: ['reports:read'] })
  const bare = await issueTo(service, admin, { scopes: [] })
  const all = [full, members, writing, reading, application, bare]
  const alive = async (...expected: boolean[]) => {
    for (const [index, token] of all.entries()) await assertAlive(service, token, expected[index] === true)
  }

  await alive(true, true, true, true, true, true)
  expect(200, await call('PUT', pathOf(admin.userId), { json: { email: admin.email, role: 'member' } }))
  await alive(false, false, true, true, true, true)
  expect(200, await saveMember(service, { ...admin, role: 'viewer' }))
  await alive(false, false, false, true, true, true)
  expect(200, await saveMember(service, { ...admin, role: 'owner' }))
  await alive(false, false, false, true, true, true)

  const { data } = expect(200, await call('GET', `/api/v1/tokens/${full.id}`)).json
  assert.equal(data.revocation_reason, 'The role of its holder became member')
  const again = expect(201, await call('POST', `/api/v1/tokens/${full.id}/revoke`)).json
  assert.equal(again.code, 'TOKEN_ALREADY_REVOKED')
  assert.equal(again.data.revoked_by, 'owner@localhost')
})

test('what a token may do follows the current role of its holder', async () => {
  const holder = await addMember(service, 'member')
  // A read-only token outlives every role; what it may read does not.
  const { token } = await issueTo(service, holder, { scopes: ['tokens:read'] })
  const everyone = () => call('GET', '/api/v1/tokens?all=true', { token })
  expect(403, await everyone())
  expect(200, await saveMember(service, { ...holder, role: 'admin' }))
  expect(200, await everyone())
  expect(200, await saveMember(service, { ...holder, role: 'viewer' }))
  expect(403, await everyone())
})

test('removing a member ends every token of theirs in the business, and no other; coming back revives none', async () => {
  const holder = await addMember(service, 'member')
  const elsewhere = { ...holder, businessId: await addBusiness(service) }
  expect(200, await saveMember(service, elsewhere))
  const mate = await issueTo(service, await addMember(service, 'member'))
  const gone = [await issueTo(service, holder), await issueTo(service, holder, { scopes: [] })]
  const kept = [mate, await issueTo(service, elsewhere)]

  expect(200, await call('DELETE', pathOf(holder.userId)))
  expect(200, await saveMember(service, { ...holder, role: 'owner' }))
  for (const token of gone) await assertAlive(service, token, false)
  for (const token of kept) await assertAlive(service, token, true)
  await assertAlive(service, await issueTo(service, holder), true)

  const shown = expect(200, await call('GET', `/api/v1/tokens/${gone[0]?.id}`)).json.data
  assert.equal(shown.revocation_reason, 'Its holder was removed from the business')
})

test('only an owner or an operator appoints, changes or removes an owner', async () => {
  const admin = await issueTo(service, await addMember(service, 'admin'))
  const owner = await addMember(service, 'owner')
  const member = await addMember(service, 'member')
  const as = { token: admin.token }
  const put = (holder: Holder, role: string, options: object = as) =>
    call('PUT', pathOf(holder.userId), { ...options, json: { email: holder.email, role } })

  refusedAs('owner_protected', await put(member, 'owner'))
  refusedAs('owner_protected', await put(owner, 'owner'))
  refusedAs('owner_protected', await put(owner, 'member'))
  refusedAs('owner_protected', await call('DELETE', pathOf(owner.userId), as))
  assert.equal(expect(200, await call('GET', pathOf(owner.userId), as)).json.data.role, 'owner')
  expect(200, await put(member, 'admin'))
  expect(200, await put(member, 'owner', {}))
  expect(200, await put(member, 'viewer', {}))
  expect(200, await call('DELETE', pathOf(member.userId), as))
})

test('the last owner neither leaves nor steps down, unless an operator says so', async () => {
  const business = await addBusiness(service)
  const first = await addMember(service, 'owner', business)
  const { token } = await issueTo(service, first)
  const path = pathOf(first.userId, business)
  const json = { email: first.email, role: 'admin' }

  refusedAs('last_owner', await call('DELETE', path, { token, business }))
  refusedAs('last_owner', await call('PUT', path, { token, business, json }))
  expect(200, await call('PUT', path, { token, business, json: { email: 'new@example.com', role: 'owner' } }))
  const second = await addMember(service, 'owner', business)
  expect(200, await call('PUT', path, { token, business, json }))
  // The token carried no more than an admin may, so it lives on.
  refusedAs('owner_protected', await call('DELETE', pathOf(second.userId, business), { token, business }))
  expect(200, await call('DELETE', pathOf(second.userId, business), { token: operatorToken, business: null }))
})

test('revoking a member’s tokens ends those issued until now, and later ones live', async () => {
  const holder = await addMember(service, 'member')
  const dead = [await issueTo(service, holder), await issueTo(service, holder)]
  const mate = await issueTo(service, await addMember(service, 'member'))
  const path = `${pathOf(holder.userId)}/revoke-tokens`
  const { code, data } = expect(200, await call('POST', path, { json: { reason: 'phished' } })).json
  assert.equal(code, 'MEMBER_TOKENS_REVOKED')
  assert.deepEqual(data, {
    revoked_at: data.revoked_at,
    revoked_by: 'owner@localhost',
    revocation_reason: 'phished',
  })
  for (const token of dead) await assertAlive(service, token, false)
  await assertAlive(service, mate, true)
  await assertAlive(service, await issueTo(service, holder), true)

  const again = expect(201, await call('POST', `/api/v1/tokens/${dead[0]?.id}/revoke`, { json: { reason: 'x' } })).json
  assert.equal(again.code, 'TOKEN_ALREADY_REVOKED')
  assert.deepEqual(
    {
      revoked_at: again.data.revoked_at,
      revoked_by: again.data.revoked_by,
      revocation_reason: again.data.revocation_reason,
    },
    data,
  )
  refusedAs('member_not_found', await call('POST', `${pathOf(randomUUID())}/revoke-tokens`))
})

test('revoking a business’s tokens ends all of them, the caller’s own included, and no operator’s', async () => {
  const business = await addBusiness(service)
  const owner = await addMember(service, 'owner', business)
  const viewer = await addMember(service, 'viewer', business)
  const own = await issueTo(service, owner)
  const dead = [own, await issueTo(service, owner), await issueTo(service, viewer)]
  const neighbour = await issueTo(service, await addMember(service, 'owner'))
  const path = `/api/v1/businesses/${business}/revoke-tokens`

  const { code, data } = expect(200, await call('POST', path, { token: own.token, business })).json
  assert.equal(code, 'BUSINESS_TOKENS_REVOKED')
  assert.deepEqual([data.revoked_by, data.revocation_reason], [owner.email, null])
  for (const token of dead) await assertAlive(service, token, false)
  await assertAlive(service, neighbour, true)
  await assertAlive(service, { token: operatorToken }, true)
  await assertAlive(service, await issueTo(service, owner), true)
  refusedAs(
    'business_not_found',
    await call('POST', `/api/v1/businesses/${randomUUID()}/revoke-tokens`, { token: operatorToken, business: null }),
  )
})

function pathOf(userId: string, business = businessId): string {
  return `/api/v1/businesses/${business}/members/${userId}`
}

function refusedAs(error: ErrorCode, answered: Answered): void {
  assert.deepEqual(answered.json, { detail: ERRORS[error].detail })
  assert.equal(answered.status, ERRORS[error].status)
}
