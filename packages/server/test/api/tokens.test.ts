import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { decodeBase64url, ERRORS } from '@rescind/protocol'
import { addBusiness, addMember, expect, type Holder, issued, issueTo } from '../service/provisioning.ts'
import { runService } from '../service/running-service.ts'

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const DAY_MS = 86_400_000

const service = await runService({ after }, { maxActiveTokens: 1000 })
const { call, businessId, ownerToken, operatorToken } = service

test('a new token comes with its whole record, nulls included, and in an answer that no cache may keep', async () => {
  const answered = expect(201, await call('POST', '/api/v1/tokens', { json: { name: 'Nightly export 🔑' } }))
  assert.equal(answered.headers.get('cache-control'), 'no-store')
  assert.equal(answered.headers.get('content-type'), 'application/json')
  assert.deepEqual(Object.keys(answered.json), ['success', 'message', 'code', 'data'])
  assert.equal(answered.json.success, true)
  assert.equal(answered.json.code, 'TOKEN_CREATED')
  assert.deepEqual(Object.keys(answered.json.data), ['token', 'token_info'])

  const { token, token_info: info } = answered.json.data
  const claims = claimsOf(token)
  const { id, jti, created_at, expires_at } = info
  assert.deepEqual(info, {
    id,
    jti,
    name: 'Nightly export 🔑',
    description: null,
    token_prefix: `dz_${jti.slice(0, 8)}`,
    token_type: 'api',
    scopes: ['tokens:read', 'tokens:write', 'members:write'],
    created_at,
    last_used_at: null,
    expires_at,
    revoked_at: null,
    revocation_reason: null,
  })
  assert.equal(UUID.exec(id)?.[1], '7')
  assert.equal(UUID.exec(jti)?.[1], '4')
  assert.match(created_at, INSTANT)
  assert.match(expires_at, INSTANT)
  assert.equal(Date.parse(expires_at) - Date.parse(created_at), 365 * DAY_MS)
  assert.deepEqual(
    [claims.client_id, claims.jti, claims.iat * 1000, claims.exp * 1000, claims.business_id, claims.scope],
    [id, jti, Date.parse(created_at), Date.parse(expires_at), businessId, info.scopes.join(' ')],
  )
  const { data } = expect(200, await call('GET', `/api/v1/tokens/${id}`)).json
  assert.deepEqual(data, info)
})

test('a token is shown once: no other answer has it', async () => {
  const { token, id } = issued(await call('POST', '/api/v1/tokens', { json: { name: 'secret' } }))
  const signature = token.split('.')[2] ?? token
  for (const path of [`/api/v1/tokens/${id}`, '/api/v1/tokens?limit=1000&all=true']) {
    assert.ok(!expect(200, await call('GET', path)).text.includes(signature))
  }
  assert.ok(!expect(201, await call('POST', `/api/v1/tokens/${id}/revoke`)).text.includes(signature))
})

test('a token lasts as many days as asked for, and 365 when that is absent or null', async () => {
  for (const [expires_in_days, days] of [
    [undefined, 365],
    [null, 365],
    [1, 1],
    [365, 365],
    ['30', 30],
    [true, 1],
  ]) {
    const { data } = expect(201, await call('POST', '/api/v1/tokens', { json: { name: 'x', expires_in_days } })).json
    const { created_at, expires_at } = data.token_info
    assert.equal(Date.parse(expires_at) - Date.parse(created_at), Number(days) * DAY_MS)
  }
})

test('names and descriptions are kept to the last code point, and limits count code points', async () => {
  const texts = { name: '🔑'.repeat(255), description: `${'é'.repeat(998)}\u0000\n` }
  const { id } = issued(await call('POST', '/api/v1/tokens', { json: texts }))
  const { data } = expect(200, await call('GET', `/api/v1/tokens/${id}`)).json
  assert.deepEqual({ name: data.name, description: data.description }, texts)
  expect(422, await call('POST', '/api/v1/tokens', { json: { name: '🔑'.repeat(256) } }))
  expect(422, await call('POST', '/api/v1/tokens', { json: { name: 'x', description: 'x'.repeat(1001) } }))
})

test('the prefixes of a member’s tokens tell them apart', async () => {
  const holder = await addMember(service, 'member')
  for (let count = 0; count < 20; count += 1) await issueTo(service, holder)
  const items = await listOf(holder)
  assert.equal(new Set(items.map(({ token_prefix }) => token_prefix)).size, 20)
})

test('a token carries the scopes asked for, never more than its creator holds', async () => {
  const narrow = await issued(
    await call('POST', '/api/v1/tokens', { json: { name: 'x', scopes: ['tokens:write', 'tokens:write'] } }),
  )
  assert.equal(claimsOf(narrow.token).scope, 'tokens:write')
  const none = issued(await call('POST', '/api/v1/tokens', { json: { name: 'x', scopes: [] } }))
  assert.equal(claimsOf(none.token).scope, '')

  const inherited = await call('POST', '/api/v1/tokens', { token: narrow.token, json: { name: 'x' } })
  assert.equal(claimsOf(issued(inherited).token).scope, 'tokens:write', 'absent means all that the creator may do')
  for (const [scopes, error] of [
    [['tokens:read'], 'scope_not_held'],
    [['tokens:write', 'members:write'], 'scope_not_held'],
    [['reports:read'], 'scope_not_held'],
    [['operator'], 'scope_operator_only'],
    [['introspect'], 'scope_operator_only'],
    [['feed'], 'scope_operator_only'],
  ] as const) {
    const refused = expect(
      403,
      await call('POST', '/api/v1/tokens', { token: narrow.token, json: { name: 'x', scopes } }),
    )
    assert.equal(refused.json.detail, ERRORS[error].detail)
  }
})

test('an application scope is handed on by whoever holds it, in any role', async () => {
  const holder = await addMember(service, 'member')
  const scopes = ['tokens:write', 'reports:read', `a${':b'.repeat(31)}c`]
  const first = await issueTo(service, holder, { scopes })
  const second = await call('POST', '/api/v1/tokens', { token: first.token, json: { name: 'x' } })
  assert.deepEqual(claimsOf(issued(second).token).scope.split(' '), scopes)
})

test('a scope of another shape is a 422', async () => {
  for (const scope of ['', 'A', 'a b', 'ä', 'x'.repeat(65), 'a\n', 7, null]) {
    expect(422, await call('POST', '/api/v1/tokens', { json: { name: 'x', scopes: [scope] } }))
  }
  expect(422, await call('POST', '/api/v1/tokens', { json: { name: 'x', scopes: 'tokens:read' } }))
})

test('what a token issued is dead weight to nobody: each token lives and dies by itself', async () => {
  const parent = issued(await call('POST', '/api/v1/tokens', { json: { name: 'parent' } }))
  const child = issued(await call('POST', '/api/v1/tokens', { token: parent.token, json: { name: 'child' } }))
  expect(201, await call('POST', `/api/v1/tokens/${parent.id}/revoke`))
  expect(401, await call('GET', '/api/v1/tokens', { token: parent.token }))
  expect(200, await call('GET', '/api/v1/tokens', { token: child.token }))
})

test('the quota counts the active tokens of one user in one business', async (t) => {
  const small = await runService(t)
  const create = (token?: string) =>
    small.call('POST', '/api/v1/tokens', { json: { name: 'x' }, ...(token !== undefined && { token }) })
  const ids: string[] = []
  // The owner's first token is one of the ten.
  for (let count = 0; count < 9; count += 1) ids.push(issued(await create()).id)
  const refused = expect(400, await create())
  assert.deepEqual(refused.json, { detail: ERRORS.quota_reached.detail })

  expect(201, await small.call('POST', `/api/v1/tokens/${ids[0]}/revoke`))
  expect(201, await create())
  expect(400, await create())

  const mate = await issueTo(small, await addMember(small, 'member'))
  expect(201, await create(mate.token))
  const elsewhere = await addBusiness(small)
  const owner = await ownerOf(small)
  await issueTo(small, await putMember(small, { ...owner, businessId: elsewhere }))
})

test('an operator acting for a member is bound by that member’s quota, and not for itself', async (t) => {
  const small = await runService(t, { maxActiveTokens: 1 })
  const holder = await addMember(small, 'member')
  await issueTo(small, holder)
  const again = await small.call('POST', '/api/v1/tokens', {
    token: small.operatorToken,
    headers: { 'x-user-email': holder.email },
    json: { name: 'x' },
  })
  expect(400, again)
  for (let count = 0; count < 3; count += 1) {
    const own = await small.call('POST', '/api/v1/tokens', {
      token: small.operatorToken,
      business: null,
      json: { name: 'x' },
    })
    expect(201, own)
  }
})

test('owner and admin see every token of the business, member and viewer their own, nobody another business’s', async () => {
  const stranger = await issueTo(service, await addMember(service, 'owner', await addBusiness(service)))
  const target = await issueTo(service, await addMember(service, 'member'))
  for (const role of ['owner', 'admin', 'member', 'viewer'] as const) {
    const own = await issueTo(service, await addMember(service, role))
    const show = (id: string) => call('GET', `/api/v1/tokens/${id}`, { token: own.token })
    expect(200, await show(own.id))
    const others = await show(target.id)
    assert.equal(others.status, role === 'owner' || role === 'admin' ? 200 : 404)
    const elsewhere = expect(404, await show(stranger.id))
    const unknown = expect(404, await show(randomUUID()))
    assert.equal(elsewhere.text, unknown.text, 'indistinguishable')
    if (others.status === 404) assert.equal(others.text, unknown.text)
    expect(400, await show('x'))
  }
})

test('a token is found by its jti as well as by its id, in any case', async () => {
  const { id, jti } = issued(await call('POST', '/api/v1/tokens', { json: { name: 'x' } }))
  for (const name of [id, jti, id.toUpperCase(), jti.toUpperCase()]) {
    assert.equal(expect(200, await call('GET', `/api/v1/tokens/${name}`)).json.data.id, id)
  }
})

test('the last use of a token is known after the service has written it down', async (t) => {
  let current = await runService(t)
  const { token, id } = issued(await current.call('POST', '/api/v1/tokens', { json: { name: 'x' } }))
  const beforeMs = Date.now()
  expect(200, await current.call('GET', '/api/v1/tokens', { token }))
  const afterMs = Date.now()
  current = await current.restart()
  const { data } = expect(200, await current.call('GET', `/api/v1/tokens/${id}`)).json
  assert.match(data.last_used_at, INSTANT)
  assert.ok(Date.parse(data.last_used_at) >= beforeMs && Date.parse(data.last_used_at) <= afterMs)
})

test('x-user-email of a member is a claim: it changes nothing', async () => {
  const mate = await addMember(service, 'member')
  const own = await issueTo(service, await addMember(service, 'member'))
  const headers = { 'x-user-email': mate.email }
  const created = issued(await call('POST', '/api/v1/tokens', { token: own.token, headers, json: { name: 'whose?' } }))
  assert.equal(claimsOf(created.token).sub, claimsOf(own.token).sub)
  assert.equal((await listOf(mate)).length, 0)
  const listed = expect(200, await call('GET', '/api/v1/tokens', { token: own.token, headers })).json.data.items
  assert.equal(listed.length, 2)
})

test('lists are of one’s own tokens; owner and admin may name another member or everyone', async () => {
  const mate = await addMember(service, 'member')
  const target = await issueTo(service, mate)
  for (const role of ['owner', 'admin', 'member', 'viewer'] as const) {
    const holder = await addMember(service, role)
    const { token, id } = await issueTo(service, holder)
    const list = (query: string) => call('GET', `/api/v1/tokens?limit=1000&${query}`, { token })
    assert.deepEqual(ids(await list('')), [id])
    if (role === 'member' || role === 'viewer') {
      for (const query of ['all=true', `user_email=${mate.email}`, 'user_email=nobody@example.com']) {
        assert.equal(expect(403, await list(query)).json.detail, ERRORS.role_insufficient.detail)
      }
    } else {
      assert.deepEqual(ids(await list(`user_email=${mate.email}`)), [target.id])
      assert.deepEqual(ids(await list(`user_email=${mate.email.toUpperCase()}`)), [target.id])
      const everyone = ids(await list('all=true'))
      assert.ok(everyone.includes(target.id) && everyone.includes(id))
      expect(404, await list('user_email=nobody@example.com'))
    }
  }
})

test('a list has revoked tokens and a total only when asked', async () => {
  const holder = await addMember(service, 'member')
  const { token, id } = await issueTo(service, holder)
  const gone = await issueTo(service, holder)
  expect(201, await call('POST', `/api/v1/tokens/${gone.id}/revoke`, { json: { reason: 'rotated' } }))
  const list = async (query: string) => expect(200, await call('GET', `/api/v1/tokens?${query}`, { token })).json.data

  assert.deepEqual(Object.keys(await list('')), [
    'items',
    'total',
    'limit',
    'next_cursor',
    'prev_cursor',
    'has_next',
    'has_prev',
  ])
  const { items, ...rest } = await list('')
  assert.deepEqual(
    items.map((item: { id: string }) => item.id),
    [id],
  )
  assert.deepEqual(rest, {
    total: null,
    limit: 50,
    next_cursor: null,
    prev_cursor: null,
    has_next: false,
    has_prev: false,
  })
  assert.equal((await list('include_total_count=true')).total, 1)
  const withRevoked = await list('include_revoked=true&include_total_count=true&sort_by=created_at')
  assert.equal(withRevoked.total, 2)
  const shown = withRevoked.items.find((item: { id: string }) => item.id === gone.id)
  assert.match(shown.revoked_at, INSTANT)
  assert.equal(shown.revocation_reason, 'rotated')
})

test('a token pasted into a text gets no further, neither stored nor echoed', async () => {
  const json = { name: 'x', description: `found ${ownerToken} in a log` }
  const created = expect(201, await call('POST', '/api/v1/tokens', { json })).json.data.token_info
  assert.equal(created.description, 'found [redacted token] in a log')
  const refused = [
    await call('POST', '/api/v1/tokens', { json: { name: [operatorToken] } }),
    await call('POST', '/api/v1/tokens', { json: { name: ownerToken } }),
    await call('POST', `/api/v1/tokens/${created.id}/revoke`, { json: { reason: ownerToken } }),
    await call('POST', `/api/v1/tokens/${created.id}/revoke`, { body: new TextEncoder().encode(ownerToken) }),
    await call('GET', `/api/v1/tokens?limit=${ownerToken}`),
  ]
  for (const { status, text } of refused) {
    assert.equal(status, 422)
    assert.ok(text.includes('[redacted token]') && !text.includes('eyJ'))
  }
})

function claimsOf(token: string) {
  return JSON.parse(`${decodeBase64url(token.split('.')[1] ?? '')}`)
}

function ids(answered: Awaited<ReturnType<typeof call>>): string[] {
  return expect(200, answered).json.data.items.map(({ id }: { id: string }) => id)
}

async function listOf({ email }: Holder): Promise<{ token_prefix: string }[]> {
  return expect(200, await call('GET', `/api/v1/tokens?user_email=${email}`)).json.data.items
}

async function ownerOf(running: typeof service): Promise<Holder> {
  const userId = claimsOf(running.ownerToken).sub
  const path = `/api/v1/businesses/${running.businessId}/members/${userId}`
  const { email, role } = expect(200, await running.call('GET', path)).json.data
  return { businessId: running.businessId, userId, email, role }
}

async function putMember(running: typeof service, holder: Holder): Promise<Holder> {
  const { businessId: business, userId, email, role } = holder
  const path = `/api/v1/businesses/${business}/members/${userId}`
  const options = { token: running.operatorToken, business, json: { email, role } }
  expect(200, await running.call('PUT', path, options))
  return holder
}
