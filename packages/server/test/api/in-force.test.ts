import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Answered } from '../service/answered.ts'
import { addBusiness, addMember, expect, issueTo, saveMember } from '../service/provisioning.ts'
import { runService } from '../service/running-service.ts'

const service = await runService({ after }, { maxActiveTokens: 1000 })
const { call, operatorToken } = service
const operator = { token: operatorToken, business: null }

test('every answer that waits for a revocation tells how it came to be in force, a repeated one too', async () => {
  const businessId = await addBusiness(service)
  const holder = await addMember(service, 'admin', businessId)
  const { id } = await issueTo(service, holder)
  const business = `/api/v1/businesses/${businessId}`
  const member = `${business}/members/${holder.userId}`
  const keys = expect(200, await call('GET', '/api/v1/keys', operator)).json.data.items
  for (const [status, method, path] of [
    [201, 'POST', `/api/v1/tokens/${id}/revoke`],
    [201, 'POST', `/api/v1/tokens/${id}/revoke`],
    [200, 'POST', `${business}/revoke-tokens`],
    [200, 'POST', `${member}/revoke-tokens`],
    [200, 'DELETE', member],
    [200, 'POST', '/api/v1/keys/rotate'],
  ] as const) {
    const caller = path.endsWith('/revoke') ? await ownerOf(businessId) : operator
    assertInForce(expect(status, await call(method, path, caller)))
  }
  const fresh = { ...operator, token: await anotherOperatorToken() }
  const retire = () => call('POST', `/api/v1/keys/${keys[0].kid}/retire`, fresh)
  assertInForce(expect(200, await retire()))
  assertInForce(expect(200, await retire()))
})

test('saving a member tells it, of what was ended before, if it ends nothing itself', async (t) => {
  const own = await runService(t)
  const holder = await addMember(own, 'admin')
  await issueTo(own, holder)
  assertInForce(expect(200, await saveMember(own, holder)))
  assertInForce(expect(200, await saveMember(own, { ...holder, role: 'viewer' })))
  const read = await own.call('GET', '/api/v1/tokens')
  assert.equal(read.headers.has('rescind-applied'), false)
})

/** Nobody is attached, so nobody was waited for. */
function assertInForce({ headers }: Answered): void {
  assert.equal(headers.get('rescind-applied'), '0')
  assert.equal(headers.get('rescind-waited-out'), '0')
  const [, ...durations] =
    /^commit;dur=(\d+\.\d{3}), enforce;dur=(\d+\.\d{3})$/.exec(headers.get('server-timing') ?? '') ?? []
  assert.equal(durations.length, 2)
  // Every commit takes some time on a disk.
  assert.ok(durations.every((ms) => Number.isFinite(Number(ms))))
}

async function ownerOf(businessId: string) {
  const { token } = await issueTo(service, await addMember(service, 'owner', businessId))
  return { token, business: businessId }
}

async function anotherOperatorToken(): Promise<string> {
  return expect(201, await call('POST', '/api/v1/tokens', { ...operator, json: { name: 'x' } })).json.data.token
}
