import assert from 'node:assert/strict'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { decodeBase64url } from '@rescind/protocol'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import { createVerifier } from '../../../verifier/index.ts'
import { exportTo, importFrom, startService } from '../../server.ts'
import { StartRefused } from '../../start-refused.ts'
import { readStoredState } from '../durability/stored-state.ts'
import { feedToken } from '../feed/attached.ts'
import { assertAlive, expect, issued } from '../service/provisioning.ts'
import { type RunningService, temporaryFolder } from '../service/running-service.ts'
import { fillInstallation, LEFT_LEASE_MS, leaveHolders } from './filled-installation.ts'
import { rowsOfFolder } from './stored-rows.ts'
import { emptyTarget } from './target.ts'

const { url, skip } = await databaseForTests()

const TARGETS = [
  { name: 'PostgreSQL', databaseUrl: url, skip },
  { name: 'another data folder', databaseUrl: undefined, skip: false },
] as const

for (const { name, databaseUrl, skip } of TARGETS) {
  test(`in ${name}, an installation is what it was: old tokens work, revoked ones stay dead, lists are the same, verifiers go on`, {
    skip,
  }, async (t) => {
    const filled = await fillInstallation(t)
    const { service } = filled
    const answers = await filled.answers(service)
    const feed = await feedToken(service)
    const verifier = await createVerifier({ url: service.url, token: feed.token, onLapse: 'reject' })
    t.after(() => verifier.close())
    let resyncs = 0
    verifier.on('resynced', () => {
      resyncs += 1
    })
    const position = verifier.status().position
    await service.stop()
    const holders = await leaveHolders(service.dataDir)
    const target = await emptyTarget(t, service.dataDir, databaseUrl)
    const file = join(await temporaryFolder(t), 'moved.jsonl')

    const exported = await exportTo({ ...target.config, databaseUrl: undefined, dataDir: service.dataDir }, file)
    assert.deepEqual(await importFrom(target.config, file), exported)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    const source = rowsOfFolder(service.dataDir)
    assert.deepEqual(await target.rows(), source)
    assert.ok(source.nodes?.some((row) => row.includes(holders)))
    for (const [table, rows] of Object.entries(source)) assert.notEqual(rows.length, 0, table)
    assert.equal((await readStoredState(service.dataDir)).entries.length, exported.seq)

    const back = once(verifier, 'caught-up')
    const port = Number(new URL(service.url).port)
    const moved = await service.restart({ ...target.config, port })
    target.dropAtEnd()
    await back
    // Until the leases of before have ended, it cannot know that the newest key is in force.
    while (!(await newestKeySigns(moved))) await delay(10)
    assert.deepEqual(await filled.answers(moved), answers)
    for (const token of filled.alive) await assertAlive(moved, token, true)
    for (const token of filled.revoked) await assertAlive(moved, token, false)
    for (const { token } of filled.alive) assert.equal((await verifier.verify(token)).status, 'valid')
    for (const { token } of filled.revoked) assert.equal((await verifier.verify(token)).status, 'rejected')
    assert.equal(resyncs, 0)
    assert.deepEqual(verifier.status().position, position)

    const json = { name: 'the first after the move' }
    const fresh = issued(await moved.call('POST', '/api/v1/tokens', { json }))
    assert.equal(indexOf(fresh.token), exported.nextIdx)
    const answered = expect(201, await moved.call('POST', `/api/v1/tokens/${fresh.id}/revoke`))
    assert.equal((await verifier.verify(fresh.token)).status, 'rejected')
    assert.equal(answered.headers.get('rescind-applied'), '1')
    await assertAlive(moved, fresh, false)
  })
}

test('a revocation after the move waits for whoever holds a lease of before', { skip }, async (t) => {
  const filled = await fillInstallation(t)
  const { service } = filled
  await service.stop()
  await leaveHolders(service.dataDir)
  const target = await emptyTarget(t, service.dataDir, url)
  const file = join(await temporaryFolder(t), 'moved.jsonl')
  await exportTo({ ...target.config, databaseUrl: undefined, dataDir: service.dataDir }, file)
  await importFrom(target.config, file)
  const startedMs = performance.now()
  const moved = await service.restart(target.config)
  target.dropAtEnd()
  const { id } = issued(await moved.call('POST', '/api/v1/tokens', { json: { name: 'a token' } }))
  expect(201, await moved.call('POST', `/api/v1/tokens/${id}/revoke`))
  assert.ok(performance.now() - startedMs >= LEFT_LEASE_MS)
})

test('the folder is refused afterwards, by every command, and so is a second import', { skip }, async (t) => {
  const { service } = await fillInstallation(t)
  await service.stop()
  const target = await emptyTarget(t, service.dataDir, url)
  target.dropAtEnd()
  const source = { ...target.config, databaseUrl: undefined, dataDir: service.dataDir }
  const folder = await temporaryFolder(t)
  const file = join(folder, 'moved.jsonl')
  await exportTo(source, file)
  const exported = /was exported on \S+Z to \S+moved\.jsonl .* never serves again/
  await refused(startService(source), exported)
  await refused(exportTo(source, join(folder, 'again.jsonl')), exported)
  await refused(importFrom(source, file), exported)
  await importFrom(target.config, file)
  const rows = await target.rows()
  await refused(importFrom(target.config, file), /is an installation in the database already/)
  assert.deepEqual(await target.rows(), rows)
})

async function refused(attempt: Promise<unknown>, sentence: RegExp): Promise<void> {
  await assert.rejects(attempt, (error) => {
    assert.ok(error instanceof StartRefused, String(error))
    assert.match(error.message, sentence)
    return true
  })
}

async function newestKeySigns({ call, operatorToken }: RunningService): Promise<boolean> {
  const answer = await call('GET', '/api/v1/keys', { token: operatorToken, business: null })
  return expect(200, answer).json.data.items.at(-1).signing
}

function indexOf(token: string): number {
  return JSON.parse(`${decodeBase64url(token.split('.')[1] ?? '')}`).status.status_list.idx
}
