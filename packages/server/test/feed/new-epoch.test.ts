import assert from 'node:assert/strict'
import { cp, rm } from 'node:fs/promises'
import { test } from 'node:test'
import { openNewEpoch } from '../../server.ts'
import { issued } from '../service/provisioning.ts'
import { type RunningService, runService, temporaryFolder, testConfig } from '../service/running-service.ts'
import { attach, feedToken } from './attached.ts'

const ISSUE = ['POST', '/api/v1/tokens'] as const

async function newToken(service: RunningService): Promise<{ readonly token: string; readonly id: string }> {
  const { token, id } = issued(await service.call(...ISSUE, { json: { name: 'one of many' } }))
  return { token, id }
}

async function revoke(service: RunningService, id: string): Promise<void> {
  assert.equal((await service.call('POST', `/api/v1/tokens/${id}/revoke`)).status, 201)
}

/** Stops the service, puts the copy of its folder in place, opens a new epoch, and starts it again where it was. */
async function putBack(service: RunningService, copy: string): Promise<RunningService> {
  await service.stop()
  await rm(service.dataDir, { recursive: true })
  await cp(copy, service.dataDir, { recursive: true })
  await openNewEpoch(testConfig(service.dataDir, { databaseUrl: undefined }))
  return service.restart({ port: Number(new URL(service.url).port) })
}

test('a new epoch keeps what is left of the history, refuses what was issued in the lost part, and takes nothing back from those who saw it', async (t) => {
  const first = await runService(t, { databaseUrl: undefined })
  const [kept, dead, seen] = [await newToken(first), await newToken(first), await newToken(first)]
  await revoke(first, dead.id)
  const { token: credential } = await feedToken(first)
  await first.stop()
  const copy = await temporaryFolder(t)
  await cp(first.dataDir, copy, { recursive: true })

  const second = await first.restart()
  const verifier = await attach(t, second.url, credential)
  const lost = await newToken(second)
  await revoke(second, seen.id)
  assert.equal(verifier.verify(lost.token).status, 'valid')
  const former = verifier.position?.epoch

  const third = await putBack(second, copy)
  await verifier.noticed('caught_up')
  assert.notEqual(verifier.position?.epoch, former)
  const reasonFor = (token: string) => {
    const verdict = verifier.verify(token)
    return verdict.status === 'rejected' ? verdict.reason : verdict.status
  }
  assert.equal(reasonFor(kept.token), 'valid')
  assert.equal(reasonFor(dead.token), 'revoked')
  // The log does not know it; whoever saw it does.
  assert.equal(reasonFor(seen.token), 'revoked')
  assert.equal(reasonFor(lost.token), 'wrong_issuer')
  const use = async (service: RunningService, token: string) => (await service.call('GET', ISSUE[1], { token })).status
  assert.equal(await use(third, kept.token), 200)
  assert.equal(await use(third, dead.token), 401)
  assert.equal(await use(third, lost.token), 401)

  const fresh = await newToken(third)
  assert.equal(reasonFor(fresh.token), 'valid')
  await revoke(third, kept.id)
  assert.equal(reasonFor(kept.token), 'revoked')

  // The same copy again: what was issued in between is lost as well.
  const fourth = await putBack(third, copy)
  await verifier.noticed('caught_up')
  assert.equal(reasonFor(fresh.token), 'wrong_issuer')
  assert.equal(reasonFor(kept.token), 'revoked')
  assert.equal(reasonFor((await newToken(fourth)).token), 'valid')

  // One who comes only now knows what the log knows.
  const late = await attach(t, fourth.url, credential)
  assert.equal(late.verify(kept.token).status, 'valid')
  assert.equal(late.verify(dead.token).status, 'rejected')
  assert.equal(late.verify(lost.token).status, 'rejected')
})

test('a new epoch is taken up by services and verifiers that are running', async (t) => {
  const url = process.env.RESCIND_TEST_DATABASE_URL
  if (url === undefined) return t.skip('RESCIND_TEST_DATABASE_URL names no PostgreSQL server.')
  const service = await runService(t, { databaseUrl: url })
  const { token: credential } = await feedToken(service)
  const verifier = await attach(t, service.url, credential)
  const old = await newToken(service)
  const { epoch } = await openNewEpoch(testConfig(service.dataDir, { databaseUrl: url }))
  const fresh = await newToken(service)
  // The answer waits until every verifier has applied what came before.
  await revoke(service, fresh.id)
  assert.equal(verifier.position?.epoch, epoch)
  assert.equal(verifier.verify(old.token).status, 'valid')
  assert.equal(verifier.verify((await newToken(service)).token).status, 'valid')
  assert.equal(verifier.verify(fresh.token).status, 'rejected')
})
