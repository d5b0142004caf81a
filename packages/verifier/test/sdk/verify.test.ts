import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addBusiness, addMember, issueTo } from '../../../server/test/service/provisioning.ts'
import type { Verdict } from '../../index.ts'
import { sdkWorld } from './sdk-world.ts'

const reasonOf = (verdict: Verdict) => (verdict.status === 'valid' ? 'valid' : verdict.reason)

for (const mode of ['attached', 'online'] as const) {
  test(`a token says whose it is and what it may do, ${mode}`, async (t) => {
    const world = await sdkWorld(t)
    const verifier = await world.verifier({ mode })
    const issued = await world.token({ scopes: ['reports:read'], expires_in_days: 2 })
    for (const credential of [issued.token, `Bearer ${issued.token}`, `bearer   ${issued.token}`]) {
      const verdict = await verifier.verify(credential)
      assert.ok(verdict.status === 'valid')
      const { id, jti, businessId, scopes, issuedAtMs, expiresAtMs, userId } = verdict.token
      assert.deepEqual({ id, jti }, { id: issued.id, jti: issued.jti })
      assert.equal(businessId, world.service.businessId)
      assert.deepEqual(scopes, ['reports:read'])
      assert.equal(expiresAtMs - issuedAtMs, 2 * 24 * 60 * 60 * 1000)
      assert.match(userId, /^[0-9a-f-]{36}$/)
      assert.ok(Object.isFrozen(verdict.token) && Object.isFrozen(scopes))
    }
    const operator = await verifier.verify(world.feedToken)
    assert.ok(operator.status === 'valid' && operator.token.businessId === null)
  })

  test(`expectations are kept, ${mode}`, async (t) => {
    const world = await sdkWorld(t)
    const verifier = await world.verifier({ mode })
    const { token } = await world.token({ scopes: ['reports:read'] })
    const { businessId } = world.service
    const other = '01a20489-2818-72c4-8442-e9126c96b88b'
    const cases: readonly [object, string][] = [
      [{ businessId, scopes: ['reports:read'] }, 'valid'],
      [{ businessId: businessId.toUpperCase() }, 'valid'],
      [{ scopes: [] }, 'valid'],
      [{ businessId: other }, 'wrong_business'],
      [{ businessId: other, scopes: ['reports:write'] }, 'wrong_business'],
      [{ scopes: ['reports:read', 'reports:write'] }, 'insufficient_scope'],
      [{ businessId: undefined }, 'wrong_business'],
      [{ businessId: 'no id' }, 'wrong_business'],
      [{ businessId: 7 }, 'wrong_business'],
      [{ scopes: undefined }, 'insufficient_scope'],
      [{ scopes: 'reports:read' }, 'insufficient_scope'],
      [{ scope: ['reports:read'] }, 'insufficient_scope'],
      [['reports:read'], 'insufficient_scope'],
      [{ scopes: new Array(1) }, 'insufficient_scope'],
      [new Map([['scopes', ['reports:write']]]), 'insufficient_scope'],
      [Object.create({ scopes: ['reports:write'] }), 'insufficient_scope'],
      [Object.defineProperty({}, 'scopes', { enumerable: true, get: () => assert.fail() }), 'insufficient_scope'],
      [Object.defineProperty({}, 'businessId', { enumerable: true, get: () => assert.fail() }), 'insufficient_scope'],
    ]
    for (const [expected, outcome] of cases) {
      assert.equal(reasonOf(await verifier.verify(token, expected)), outcome)
    }
  })

  test(`a revoked token is rejected as soon as the revocation is answered, ${mode}`, async (t) => {
    const world = await sdkWorld(t)
    const verifier = await world.verifier({ mode })
    for (let round = 0; round < 20; round += 1) {
      const issued = await world.token()
      assert.equal(reasonOf(await verifier.verify(issued.token)), 'valid')
      await world.revoke(issued)
      assert.equal(reasonOf(await verifier.verify(issued.token)), 'revoked')
    }
    const { counters } = verifier.status()
    assert.deepEqual([counters.valid, counters.rejected, counters.undecided], [20, 20, 0])
    assert.equal(counters.asked, mode === 'online' ? 40 : 0)
  })

  test(`whatever is presented gets a verdict, never an exception, ${mode}`, async (t) => {
    const world = await sdkWorld(t)
    const verifier = await world.verifier({ mode })
    const { token } = await world.token()
    for (const nothing of [undefined, null, '']) assert.equal(reasonOf(await verifier.verify(nothing)), 'no_credential')
    const garbage = [
      7,
      {},
      [],
      [token],
      Symbol('token'),
      () => token,
      ' ',
      'Bearer',
      'Bearer ',
      `Basic ${token}`,
      `${token} `,
    ]
    for (const each of [...garbage, `Bearer ${token}, Bearer ${token}`, '\ud800', 'x'.repeat(100_000)]) {
      assert.equal(reasonOf(await verifier.verify(each)), 'malformed', String(each))
    }
    const mangled = fc.tuple(fc.nat(token.length), fc.nat(9), fc.string({ unit: 'binary', maxLength: 9 }))
    const anything = fc.oneof(fc.anything(), fc.string({ unit: 'binary' }))
    const presented = fc.oneof(
      anything,
      mangled.map(([at, cut, put]) => token.slice(0, at) + put + token.slice(at + cut)),
    )
    await fc.assert(
      fc.asyncProperty(presented, anything, async (credential, expected) => {
        const verdict = await verifier.verify(credential, expected as object)
        assert.ok(verdict.status === 'rejected' || credential === token)
      }),
      { seed: 7, numRuns: mode === 'online' ? 300 : 3_000 },
    )
  })
}

test('what a caller does to a token changes nothing for the next', async (t) => {
  const world = await sdkWorld(t)
  const verifier = await world.verifier()
  const { token } = await world.token({ scopes: ['reports:read'] })
  const verdict = await verifier.verify(token)
  assert.ok(verdict.status === 'valid')
  assert.throws(() => (verdict.token.scopes as string[]).push('reports:write'))
  assert.throws(() => Object.assign(verdict.token, { businessId: null }))
  assert.equal(reasonOf(await verifier.verify(token, { scopes: ['reports:write'] })), 'insufficient_scope')
})

test('a key that signs since a moment ago is known', async (t) => {
  const world = await sdkWorld(t)
  const verifier = await world.verifier()
  const before = await world.token()
  const { call, operatorToken } = world.service
  assert.equal((await call('POST', '/api/v1/keys/rotate', { token: operatorToken, business: null })).status, 200)
  const after = await world.token()
  assert.equal(reasonOf(await verifier.verify(after.token)), 'valid')
  assert.equal(reasonOf(await verifier.verify(before.token)), 'valid')
})

test("a verifier with a member's token asks about tokens of that business only", async (t) => {
  const world = await sdkWorld(t)
  const own = await addMember(world.service, 'member')
  const { token } = await issueTo(world.service, own, { scopes: ['feed'] })
  const verifier = await world.verifier({ token, mode: 'online' })
  const mine = await world.token()
  assert.equal(reasonOf(await verifier.verify(mine.token)), 'valid')
  assert.equal(reasonOf(await verifier.verify(mine.token, { businessId: own.businessId })), 'valid')
  const stranger = await addMember(world.service, 'member', await addBusiness(world.service))
  const theirs = await issueTo(world.service, stranger)
  assert.equal(reasonOf(await verifier.verify(theirs.token)), 'wrong_business')
  assert.equal(reasonOf(await verifier.verify(theirs.token, { businessId: stranger.businessId })), 'wrong_business')
})
