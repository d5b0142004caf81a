import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { ERRORS } from '@rescind/protocol'
import { addBusiness, addMember, assertAlive, expect, type Issued, issued, issueTo } from '../service/provisioning.ts'
import { runService } from '../service/running-service.ts'

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/

const service = await runService({ after }, { maxActiveTokens: 1000 })
const { call, operatorToken } = service

test('a revocation answers with who, when and why, and the token is dead from then on', async () => {
  const target = await newToken('Deploy')
  await assertAlive(service, target, true)
  const beforeMs = Date.now()
  const answered = expect(201, await revoke(target, { reason: 'laptop stolen' }))
  assert.deepEqual(Object.keys(answered.json), ['success', 'message', 'code', 'data'])
  assert.equal(answered.json.success, true)
  assert.equal(answered.json.code, 'TOKEN_REVOKED')
  const { revoked_at } = answered.json.data
  assert.deepEqual(answered.json.data, {
    id: target.id,
    jti: target.jti,
    name: 'Deploy',
    revoked_at,
    revoked_by: 'owner@localhost',
    revocation_reason: 'laptop stolen',
  })
  assert.match(revoked_at, INSTANT)
  assert.ok(Date.parse(revoked_at) >= beforeMs && Date.parse(revoked_at) <= Date.now())
  await assertAlive(service, target, false)
  assert.equal((await verdictOn(target)).reason, 'revoked')
})

test('the body is optional, and no reason is null', async () => {
  const json = { 'content-type': 'application/json' }
  for (const options of [
    {},
    { body: '' },
    { headers: json, body: '' },
    { headers: json, body: 'null' },
    { json: {} },
    { json: { reason: null } },
    { json: { unknown: 'field', __proto__: null } },
  ]) {
    const { id } = await newToken()
    const { json: answer } = expect(201, await call('POST', `/api/v1/tokens/${id}/revoke`, options))
    assert.equal(answer.data.revocation_reason, null)
  }
  assert.equal(expect(201, await revoke(await newToken(), { reason: '' })).json.data.revocation_reason, '')
})

test('a reason may have 500 code points', async () => {
  const reason = '🔑'.repeat(500)
  const target = await newToken()
  expect(422, await revoke(target, { reason: `${reason}!` }))
  await assertAlive(service, target, true)
  assert.equal(expect(201, await revoke(target, { reason })).json.data.revocation_reason, reason)
})

test('revoking again answers 201 with the data of the first revocation and another code', async () => {
  const target = await newToken()
  const first = expect(201, await revoke(target, { reason: 'first' })).json
  const { token } = await issueTo(service, await addMember(service, 'admin'))
  const again = expect(
    201,
    await call('POST', `/api/v1/tokens/${target.id}/revoke`, { token, json: { reason: 'second' } }),
  )
  assert.equal(first.code, 'TOKEN_REVOKED')
  assert.equal(again.json.code, 'TOKEN_ALREADY_REVOKED')
  assert.deepEqual(again.json.data, first.data)
})

test('of many revocations of one token at once, one is the first and all tell the same', async () => {
  const target = await newToken()
  const answers = await Promise.all([...Array(16).keys()].map((reason) => revoke(target, { reason: `${reason}` })))
  const codes = answers.map((answered) => expect(201, answered).json.code)
  assert.equal(codes.filter((code) => code === 'TOKEN_REVOKED').length, 1)
  for (const { json } of answers) assert.deepEqual(json.data, answers[0]?.json.data)
})

test('a leaked token shows only its jti, and that is enough to revoke it', async () => {
  const target = await newToken()
  const answered = expect(201, await call('POST', `/api/v1/tokens/${target.jti.toUpperCase()}/revoke`))
  assert.equal(answered.json.data.id, target.id)
  await assertAlive(service, target, false)
})

test('a token may revoke itself, and the very next request with it is a 401', async () => {
  const self = await newToken()
  expect(201, await call('POST', `/api/v1/tokens/${self.id}/revoke`, { token: self.token }))
  expect(401, await call('POST', `/api/v1/tokens/${self.id}/revoke`, { token: self.token }))
  const operator = issued(
    await call('POST', '/api/v1/tokens', { token: operatorToken, business: null, json: { name: 'x' } }),
  )
  const options = { token: operator.token, business: null }
  expect(201, await call('POST', `/api/v1/tokens/${operator.id}/revoke`, options))
  expect(401, await call('POST', `/api/v1/tokens/${operator.id}/revoke`, options))
})

test('owner and admin revoke every token of the business, a member their own, a viewer none', async () => {
  const stranger = await issueTo(service, await addMember(service, 'owner', await addBusiness(service)))
  for (const role of ['owner', 'admin', 'member', 'viewer'] as const) {
    const holder = await addMember(service, role)
    const { token } = await issueTo(service, holder)
    const own = await issueTo(service, holder)
    const others = await issueTo(service, await addMember(service, 'owner'))
    const attempt = (id: string) => call('POST', `/api/v1/tokens/${id}/revoke`, { token })
    const answers = [(await attempt(own.id)).status, (await attempt(others.id)).status]
    const everyone = role === 'owner' || role === 'admin'
    assert.deepEqual(answers, [role === 'viewer' ? 403 : 201, everyone ? 201 : 403], role)
    await assertAlive(service, own, role === 'viewer')
    await assertAlive(service, others, !everyone)
    if (role === 'viewer') continue
    const elsewhere = expect(404, await attempt(stranger.id))
    const unknown = expect(404, await attempt(randomUUID()))
    assert.equal(elsewhere.text, unknown.text, 'indistinguishable')
    assert.equal(unknown.json.detail, ERRORS.token_not_found.detail)
  }
  await assertAlive(service, stranger, true)
})

test('a revocation is attributed to the token’s own member, whatever x-user-email says', async () => {
  const admin = await addMember(service, 'admin')
  const { token } = await issueTo(service, admin)
  const headers = { 'x-user-email': 'owner@localhost' }
  const target = await newToken()
  const { json } = expect(201, await call('POST', `/api/v1/tokens/${target.id}/revoke`, { token, headers }))
  assert.equal(json.data.revoked_by, admin.email)
})

test('a revocation outlives the service', async (t) => {
  const first = await runService(t)
  const target = issued(await first.call('POST', '/api/v1/tokens', { json: { name: 'x' } }))
  const before = expect(201, await first.call('POST', `/api/v1/tokens/${target.id}/revoke`)).json.data
  const second = await first.restart()
  await assertAlive(second, target, false)
  const again = expect(201, await second.call('POST', `/api/v1/tokens/${target.id}/revoke`)).json
  assert.equal(again.code, 'TOKEN_ALREADY_REVOKED')
  assert.deepEqual(again.data, before)
})

async function newToken(name = 'target'): Promise<Issued> {
  return issued(await call('POST', '/api/v1/tokens', { json: { name } }))
}

function revoke({ id }: Issued, json: object) {
  return call('POST', `/api/v1/tokens/${id}/revoke`, { json })
}

async function verdictOn({ token }: Issued) {
  return expect(200, await call('POST', '/api/v1/tokens/verify', { token: operatorToken, json: { token } })).json.data
}
