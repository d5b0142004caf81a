import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientAnswer, HttpClient } from '../service/http-client.ts'
import { serveInstallation, use } from '../service/installation-client.ts'
import { kidOf, type Race, type RacedToken, raceIssue } from './issue-race.ts'
import { createRandom } from './random.ts'
import { isEndedByLog, readStoredState } from './stored-state.ts'

const random = createRandom(Number(process.env.RESCIND_TEST_SEED ?? 20_261_122))
const UNLIMITED = { RESCIND_MAX_ACTIVE_TOKENS: '1000000' }

test('tokens issued while their business, member or role is ended', async (t) => {
  const installation = await serveInstallation(t, UNLIMITED)
  const { client, operatorToken, service, dataDir } = installation
  const all: RacedToken[] = []

  await t.test('a token that races a bulk revocation of its business is dead exactly below one cut-off', async () => {
    for (let round = 0; round < 6; round++) {
      const business = await installation.createBusiness('member', 'admin', 'viewer')
      const race = await raceIssue(random, business, 3, () => endAll(client, operatorToken, `/${business.id}`))
      all.push(...race.issued)
      assert.deepEqual(race.refused, [])
      await assertCutOff(client, race)
    }
  })

  await t.test('a token that races a bulk revocation of its member is dead exactly below one cut-off', async () => {
    for (let round = 0; round < 6; round++) {
      const business = await installation.createBusiness('member', 'member')
      const path = `/${business.id}/members/${business.member(0).userId}`
      const race = await raceIssue(random, business, 2, () => endAll(client, operatorToken, path))
      all.push(...race.issued)
      assert.deepEqual(race.refused, [])
      const [ended, spared] = partition(race.issued, ({ claims }) => claims.sub === business.member(0).userId)
      await assertCutOff(client, { issued: ended, refused: [] })
      for (const each of spared) assert.equal(await use(client, each.token, business.id), 200)
    }
  })

  await t.test('no token is alive whose holder was removed while it was issued', async () => {
    for (let round = 0; round < 6; round++) {
      const business = await installation.createBusiness('member')
      const path = `/api/v1/businesses/${business.id}/members/${business.member(0).userId}`
      const race = await raceIssue(random, business, 1, () =>
        client.send({ method: 'DELETE', path, token: operatorToken }),
      )
      all.push(...race.issued)
      for (const { answer } of race.refused) assert.equal(answer.status, 404, answer.text)
      for (const each of race.issued) {
        assert.ok(!each.after, 'a token was issued to a member who was gone')
        assert.equal(await use(client, each.token, business.id), 401)
      }
    }
  })

  await t.test('no token is alive that carries more than the lowered role of its holder allows', async () => {
    for (let round = 0; round < 6; round++) {
      const business = await installation.createBusiness('admin')
      const { userId, email } = business.member(0)
      const path = `/api/v1/businesses/${business.id}/members/${userId}`
      const json = { email, role: 'viewer' }
      const race = await raceIssue(random, business, 1, () =>
        client.send({ method: 'PUT', path, token: operatorToken, json }),
      )
      all.push(...race.issued)
      assert.deepEqual(race.refused, [])
      const [lowered, full] = partition(race.issued, ({ claims }) => claims.scope === 'tokens:read')
      assert.ok(full.length > 0 && lowered.length > 0)
      assert.ok(full.every(({ after }) => !after) && lowered.every(({ before }) => !before))
      for (const each of full) assert.equal(await use(client, each.token, business.id), 401)
      for (const each of lowered) assert.equal(await use(client, each.token, business.id), 200)
    }
  })

  await t.test('the log alone, read after the service is gone, ends the same tokens that were refused', async () => {
    const alive = new Map<string, boolean>()
    for (const { token, claims } of all)
      alive.set(claims.client_id, (await use(client, token, claims.business_id)) === 200)
    await service.stop()
    const state = await readStoredState(dataDir)
    for (const { claims } of all) {
      const stored = state.tokens.get(claims.client_id) ?? assert.fail('an issued token is missing')
      assert.equal(stored.idx, claims.status.status_list.idx)
      assert.equal(isEndedByLog(state, stored), !alive.get(claims.client_id))
      if (alive.get(claims.client_id)) assert.ok(state.members.has(`${stored.businessId}/${stored.userId}`))
    }
    t.diagnostic(`seed ${random.seed}: ${all.length} raced tokens, ${[...alive.values()].filter(Boolean).length} alive`)
  })
})

test('no token of a retired key is alive, however keys are rotated and retired while it is issued', async (t) => {
  const installation = await serveInstallation(t, UNLIMITED)
  const { client, service, dataDir } = installation
  const business = await installation.createBusiness('member')
  let operatorToken = installation.operatorToken
  const rotate = (token: string) => client.send({ method: 'POST', path: '/api/v1/keys/rotate', token })
  const issued: RacedToken[] = []
  let kid = kidOf(operatorToken)
  for (let round = 0; round < 6; round++) {
    const others: Promise<ClientAnswer>[] = []
    const rotateTwice = () => {
      others.push(rotate(operatorToken))
      return rotate(operatorToken)
    }
    const race = await raceIssue(random, business, 1, rotateTwice, () => operatorToken)
    assert.deepEqual(race.refused, [])
    for (const { status, text } of await Promise.all(others)) assert.equal(status, 200, text)
    issued.push(...race.issued)

    const next = await client.send({
      method: 'POST',
      path: '/api/v1/tokens',
      token: operatorToken,
      json: { name: 'next' },
    })
    assert.equal(next.status, 201)
    const old = operatorToken
    operatorToken = next.json.data.token
    const retiredPath = `/api/v1/keys/${kid}/retire`
    // Half of the requests come with the operator's old token, which dies with the key.
    const retirement = await raceIssue(
      random,
      business,
      1,
      () => client.send({ method: 'POST', path: retiredPath, token: operatorToken }),
      () => (random.below(2) === 0 ? old : operatorToken),
    )
    issued.push(...retirement.issued)
    for (const { answer } of retirement.refused) assert.equal(answer.status, 401)
    assert.equal(await use(client, old), 401)
    for (const each of [...race.issued, ...retirement.issued]) {
      assert.ok(!each.after || each.kid !== kid, 'a key signed after it was replaced')
    }
    kid = kidOf(operatorToken)
  }

  const jwks = (await client.send({ method: 'GET', path: '/.well-known/jwks.json' })).json.keys
  const alive = new Set<string>()
  for (const { token, claims } of issued) {
    if ((await use(client, token, claims.business_id)) === 200) alive.add(claims.client_id)
  }
  await service.stop()
  const state = await readStoredState(dataDir)
  assert.ok(state.retiredKids.size >= 6)
  for (const each of issued) {
    assert.equal(alive.has(each.claims.client_id), !state.retiredKids.has(each.kid))
    assert.equal(state.tokens.get(each.claims.client_id)?.kid, each.kid)
  }
  for (const jwk of jwks) assert.ok(!state.retiredKids.has(jwk.kid))
  t.diagnostic(`${issued.length} tokens, ${alive.size} alive, ${state.retiredKids.size} keys retired`)
})

/** Dead are those with an index below one number, and only they; dead is what was there before, alive what came after. */
async function assertCutOff(client: HttpClient, { issued }: Race): Promise<void> {
  const dead: RacedToken[] = []
  const alive: RacedToken[] = []
  for (const each of issued) {
    const status = await use(client, each.token, each.claims.business_id)
    assert.ok(status === 200 || status === 401)
    if (status === 200) alive.push(each)
    else dead.push(each)
  }
  const idx = ({ claims }: RacedToken) => claims.status.status_list.idx
  assert.ok(dead.length > 0 && alive.length > 0)
  assert.ok(Math.max(...dead.map(idx)) < Math.min(...alive.map(idx)), 'the dead and the living are mixed')
  assert.ok(alive.every(({ before }) => !before) && dead.every(({ after }) => !after))
}

function partition<T>(all: readonly T[], test: (each: T) => boolean): [T[], T[]] {
  return [all.filter(test), all.filter((each) => !test(each))]
}

function endAll(client: HttpClient, token: string, path: string): Promise<ClientAnswer> {
  return client.send({ method: 'POST', path: `/api/v1/businesses${path}/revoke-tokens`, token })
}
