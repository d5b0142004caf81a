import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addMember, expect, issueTo } from '../service/provisioning.ts'
import { type RunningService, runService } from '../service/running-service.ts'
import { openStorage } from '../service/test-database.ts'
import { attach, feedToken } from './attached.ts'
import { openLink } from './link.ts'

/** Long enough that nothing in a test waits for the end of a lease. */
const NEVER_ENDING = { leaseSeconds: 300 }
/** Nor does a service that stops wait for it. */
const SHORT = { leaseSeconds: 2, shutdownSeconds: 1 }

test('once its revocation is answered, a token is dead in every attached verifier, and nobody was waited out', async (t) => {
  const service = await runService(t, NEVER_ENDING)
  const verifiers = await Promise.all(Array.from({ length: 8 }, () => attach(t, service.url, service.operatorToken)))
  const target = await newToken(service)
  for (const { verify } of verifiers) assert.equal(verify(target.token).status, 'valid')
  assert.deepEqual(verifiers[0]?.verify(target.token, { businessId: service.businessId }).status, 'valid')

  const answered = await revoke(service, target)
  for (const { verify } of verifiers) {
    assert.deepEqual(verify(target.token), { status: 'rejected', reason: 'revoked', tokenId: target.id })
  }
  assert.deepEqual(enforcement(answered), { applied: '8', waitedOut: '0' })
  assert.deepEqual(enforcement(await revoke(service, target)), { applied: '8', waitedOut: '0' })
  const online = { token: service.operatorToken, business: null, json: { token: target.token } }
  assert.equal(expect(200, await service.call('POST', '/api/v1/tokens/verify', online)).json.data.reason, 'revoked')
})

test('a verifier that cannot be reached delays a revocation until its lease has ended, and decides nothing afterwards', async (t) => {
  const service = await runService(t, SHORT)
  const link = await openLink(t, service.url)
  const verifier = await attach(t, link.url, service.operatorToken)
  const near = await attach(t, service.url, service.operatorToken)
  const target = await newToken(service)
  assert.equal(verifier.verify(target.token).status, 'valid')

  link.cut()
  const answered = await revoke(service, target)
  assert.equal(verifier.holds(), false)
  assert.equal(verifier.verify(target.token).status, 'undecided')
  assert.ok(verifier.notices.includes('lapsed'))
  assert.equal(near.verify(target.token).status, 'rejected')
  assert.deepEqual(enforcement(answered), { applied: '1', waitedOut: '1' })

  const back = verifier.noticed('caught_up')
  link.mend()
  await back
  assert.equal(verifier.verify(target.token).status, 'rejected')
})

test('a verifier that is back after its connection broke, again and again, delays a revocation by nothing', async (t) => {
  const service = await runService(t, NEVER_ENDING)
  const link = await openLink(t, service.url)
  const verifier = await attach(t, link.url, service.operatorToken)
  for (let times = 0; times < 3; times++) {
    const target = await newToken(service)
    assert.equal(verifier.verify(target.token).status, 'valid')
    const back = verifier.hears('grant')
    link.cut()
    assert.equal(verifier.verify(target.token).status, 'valid')
    link.mend()
    await back
    const answered = await revoke(service, target)
    assert.deepEqual(enforcement(answered), { applied: '1', waitedOut: '0' })
    assert.equal(verifier.verify(target.token).status, 'rejected')
  }
  assert.ok(!verifier.notices.includes('lapsed'))
})

test('a revocation that waits for a verifier whose connection broke is answered when that is back and has applied it', async (t) => {
  const service = await runService(t, NEVER_ENDING)
  const link = await openLink(t, service.url)
  const verifier = await attach(t, link.url, service.operatorToken)
  const target = await newToken(service)
  link.cut()
  const answer = revoke(service, target)
  await durable(service, target.id)
  assert.equal(verifier.verify(target.token).status, 'valid')
  link.mend()
  assert.equal(enforcement(await answer).waitedOut, '0')
  assert.equal(verifier.verify(target.token).status, 'rejected')
})

test('a verifier that is closed after its connection broke once delays nothing either', async (t) => {
  const service = await runService(t, NEVER_ENDING)
  const link = await openLink(t, service.url)
  const verifier = await attach(t, link.url, service.operatorToken)
  const target = await newToken(service)
  const back = verifier.hears('grant')
  link.cut()
  link.mend()
  await back
  verifier.close()
  assert.deepEqual(enforcement(await revoke(service, target)), { applied: '0', waitedOut: '0' })
})

test('a verifier that nothing reaches any more delays a revocation like one whose connection broke', async (t) => {
  const service = await runService(t, SHORT)
  const link = await openLink(t, service.url)
  const verifier = await attach(t, link.url, service.operatorToken)
  const target = await newToken(service)
  link.loseAnswers()
  const answered = await revoke(service, target)
  assert.equal(verifier.verify(target.token).status, 'undecided')
  assert.deepEqual(enforcement(answered), { applied: '0', waitedOut: '1' })
})

test('a verifier that says goodbye releases the revocations that wait for it', async (t) => {
  const service = await runService(t, NEVER_ENDING)
  const link = await openLink(t, service.url)
  const verifier = await attach(t, link.url, service.operatorToken)
  const target = await newToken(service)
  link.loseAnswers()
  const answer = revoke(service, target)
  await durable(service, target.id)
  verifier.close()
  assert.equal(verifier.verify(target.token).status, 'undecided')
  assert.deepEqual(enforcement(await answer), { applied: '0', waitedOut: '0' })
})

test('revoking the credential of a verifier cuts it off and is not delayed by it', async (t) => {
  const service = await runService(t, NEVER_ENDING)
  const credential = await feedToken(service)
  const verifier = await attach(t, service.url, credential.token)
  const lapsed = verifier.noticed('lapsed')
  const ended = verifier.noticed('credential_ended')
  const path = `/api/v1/tokens/${credential.id}/revoke`
  const answered = expect(201, await service.call('POST', path, { token: service.operatorToken, business: null }))
  assert.equal(answered.headers.get('rescind-waited-out'), '0')
  await Promise.all([lapsed, ended])
  assert.equal(verifier.holds(), false)
  assert.equal(verifier.verify(service.ownerToken).status, 'undecided')
})

test('a verifier that was away catches up with the entries it has missed', async (t) => {
  const service = await runService(t, SHORT)
  const link = await openLink(t, service.url)
  const verifier = await attach(t, link.url, service.operatorToken)
  const targets = [await newToken(service), await newToken(service)]
  link.cut()
  await Promise.all(targets.map((target) => revoke(service, target)))
  const before = verifier.heard.length
  const back = verifier.noticed('caught_up')
  link.mend()
  await back
  for (const { token } of targets) assert.equal(verifier.verify(token).status, 'rejected')
  const heard = verifier.heard.slice(before)
  assert.ok(heard.includes('entries'))
  assert.ok(!heard.includes('snapshot'))
})

test('a verifier that is far behind is sent the state instead of everything that led to it', async (t) => {
  const service = await runService(t, SHORT)
  const link = await openLink(t, service.url)
  const verifier = await attach(t, link.url, service.operatorToken)
  const target = await newToken(service)
  link.cut()
  expect(201, await revoke(service, target))
  await service.stop()
  await revokeUnissued(service.dataDir, 5_000)
  const restarted = await service.restart()

  const before = verifier.heard.length
  const back = verifier.noticed('caught_up')
  link.leadTo(restarted.url)
  link.mend()
  await back
  assert.deepEqual(
    verifier.heard.slice(before).filter((type) => type !== 'grant'),
    ['welcome', 'snapshot', 'piece'],
  )
  assert.equal(verifier.verify(target.token).status, 'rejected')
  assert.equal(verifier.verify(service.ownerToken).status, 'valid')
  const next = await newToken(restarted)
  assert.equal(verifier.verify(next.token).status, 'valid')
  assert.deepEqual(enforcement(await revoke(restarted, next)).applied, '1')
  assert.equal(verifier.verify(next.token).status, 'rejected')
})

test('when an attached verifier accepts a token shows as its last use', async (t) => {
  const service = await runService(t, NEVER_ENDING)
  const verifier = await attach(t, service.url, service.operatorToken)
  const [used, unused] = [await newToken(service), await newToken(service)]
  assert.equal(verifier.verify(used.token).status, 'valid')
  assert.equal(verifier.verify(unused.token, { scopes: ['no:such'] }).status, 'rejected')
  verifier.close()
  // The answer means that everything said before has been heard.
  expect(201, await revoke(service, unused))
  const restarted = await service.restart()
  const lastUse = async ({ id }: { id: string }) =>
    expect(200, await restarted.call('GET', `/api/v1/tokens/${id}`)).json.data.last_used_at
  assert.ok(Math.abs(Date.parse(await lastUse(used)) - Date.now()) < 60_000)
  assert.equal(await lastUse(unused), null)
})

test('a service that stops tells its verifiers, who go on deciding with the leases they hold', async (t) => {
  const service = await runService(t, NEVER_ENDING)
  const verifier = await attach(t, service.url, service.operatorToken)
  const target = await newToken(service)
  assert.equal(verifier.verify(target.token).status, 'valid')
  await service.stop()
  assert.ok(verifier.heard.includes('goodbye'))
  assert.equal(verifier.verify(target.token).status, 'valid')
})

async function newToken(service: RunningService) {
  return issueTo(service, await addMember(service, 'member'))
}

function revoke({ call }: RunningService, { id }: { readonly id: string }) {
  return call('POST', `/api/v1/tokens/${id}/revoke`)
}

function enforcement({ headers }: { readonly headers: Headers }) {
  return { applied: headers.get('rescind-applied'), waitedOut: headers.get('rescind-waited-out') }
}

/** Resolves when the revocation of a token is committed, answered or not. */
async function durable({ call }: RunningService, id: string): Promise<void> {
  while (expect(200, await call('GET', `/api/v1/tokens/${id}`)).json.data.revoked_at === null);
}

/** Revokes indexes that no token has, in a folder that nobody serves. */
async function revokeUnissued(dataDir: string, count: number): Promise<void> {
  const storage = await openStorage(dataDir)
  await storage.transact(async (tx) => {
    const first = await tx.nextIdx()
    for (let idx = first + 1000; idx < first + 1000 + count; idx++) {
      await tx.appendEntry({ kind: 'token_revoked', idx }, Date.now())
    }
  })
  await storage.close()
}
