import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { decodeBase64url } from '@rescind/protocol'
import { next, type SdkWorld, sdkWorld } from '../../../verifier/test/sdk/sdk-world.ts'
import { openNewEpoch, restoreBackup } from '../../server.ts'
import { StartRefused } from '../../start-refused.ts'
import { expect } from '../service/provisioning.ts'
import { type RunningService, temporaryFolder, testConfig } from '../service/running-service.ts'
import { backUp, folderWithKey } from './backup-file.ts'

/** What the service itself says of a token. */
async function verdict({ call, operatorToken }: RunningService, token: string): Promise<string> {
  const answer = await call('POST', '/api/v1/tokens/verify', { token: operatorToken, business: null, json: { token } })
  const { status, reason } = expect(200, answer).json.data
  return reason ?? status
}

/** A service of what was restored, in the place of the one that was lost. */
async function restoredFrom(t: { after(end: () => Promise<unknown>): void }, world: SdkWorld, file: string) {
  const lost = world.service
  await lost.stop()
  const dataDir = await folderWithKey(t, lost.dataDir)
  const restored = await restoreBackup(testConfig(dataDir, { databaseUrl: undefined }), file)
  world.service = await lost.restart({ dataDir, databaseUrl: undefined, shutdownSeconds: 0 })
  return restored
}

function indexOf(token: string): number {
  return JSON.parse(`${decodeBase64url(token.split('.')[1] ?? '')}`).status.status_list.idx
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(10)
}

test('after a restore, what was revoked before the backup is dead, what was issued before it works, and what was issued after it is refused', async (t) => {
  const world = await sdkWorld(t, { databaseUrl: undefined })
  const [dead, good] = [await world.token(), await world.token()]
  await world.revoke(dead)
  const file = await backUp(t, world.service)
  const late = await world.token()
  assert.equal(await verdict(world.service, late.token), 'valid')
  const { epoch } = await restoredFrom(t, world, file)

  assert.equal(await verdict(world.service, dead.token), 'revoked')
  assert.equal(await verdict(world.service, good.token), 'valid')
  assert.equal(await verdict(world.service, late.token), 'wrong_issuer')
  const fresh = await world.token()
  assert.equal(await verdict(world.service, fresh.token), 'valid')
  assert.ok(indexOf(fresh.token) > indexOf(late.token) + 2 ** 32, 'no index is given out again')

  const verifier = await world.verifier()
  assert.equal(verifier.status().position?.epoch, epoch)
  for (const [{ token }, expected] of [
    [dead, 'revoked'],
    [good, 'valid'],
    [late, 'wrong_issuer'],
    [fresh, 'valid'],
  ] as const) {
    const found = await verifier.verify(token)
    assert.equal(found.status === 'rejected' ? found.reason : found.status, expected)
  }
  assert.equal(world.questions, 0)
})

test('a verifier that outlives the service keeps rejecting what was revoked after the backup, and accepts old and new tokens', async (t) => {
  const world = await sdkWorld(t, { databaseUrl: undefined })
  const [dead, good] = [await world.token(), await world.token()]
  const verifier = await world.verifier()
  const file = await backUp(t, world.service)
  const [late, deadLate] = [await world.token(), await world.token()]
  await world.revoke(dead)
  await world.revoke(deadLate)
  for (const { token } of [good, late]) assert.equal((await verifier.verify(token)).status, 'valid')

  const resynced = next(verifier, 'resynced')
  await restoredFrom(t, world, file)
  await resynced
  await until(async () => verifier.status().deciding)
  // It does not know better any more; who saw the revocation does.
  assert.equal(await verdict(world.service, dead.token), 'valid')
  const fresh = await world.token()
  const expected = [
    [dead, 'revoked'],
    [deadLate, 'wrong_issuer'],
    [late, 'wrong_issuer'],
    [good, 'valid'],
    [fresh, 'valid'],
  ] as const
  for (const [{ token }, outcome] of expected) {
    const found = await verifier.verify(token)
    assert.equal(found.status === 'rejected' ? found.reason : found.status, outcome)
  }
  assert.equal(world.questions, 0)

  // The answer comes when the leases of the service that was lost have ended; the revocation itself takes effect at once.
  const revoking = world.revoke(fresh).catch(() => 'cut off')
  await until(async () => (await verifier.verify(fresh.token)).status === 'rejected')
  assert.equal(await verdict(world.service, fresh.token), 'revoked')
  await world.service.stop()
  assert.equal(await revoking, 'cut off')
})

test('a backup can be restored again, and so can one of a service that was restored; each time the epoch before is known as far as it was stored', async (t) => {
  const world = await sdkWorld(t, { databaseUrl: undefined })
  const first = await world.token()
  const file = await backUp(t, world.service)
  const { epoch } = await restoredFrom(t, world, file)
  const second = await world.token()
  const later = await backUp(t, world.service)
  const lost = await world.token()

  const again = await restoredFrom(t, world, later)
  assert.notEqual(again.epoch, epoch)
  const third = await world.token()
  for (const { token } of [first, second, third]) assert.equal(await verdict(world.service, token), 'valid')
  assert.equal(await verdict(world.service, lost.token), 'wrong_issuer')

  const { epoch: other } = await restoredFrom(t, world, file)
  assert.ok(![epoch, again.epoch].includes(other))
  const fourth = await world.token()
  for (const { token } of [first, fourth]) assert.equal(await verdict(world.service, token), 'valid')
  for (const { token } of [second, lost, third]) assert.equal(await verdict(world.service, token), 'wrong_issuer')
  assert.equal(new Set([first, second, lost, third, fourth].map(({ token }) => indexOf(token))).size, 5)
})

test('who may hold a lease of the service that was lost is waited for as long as any lease lasts', async (t) => {
  const world = await sdkWorld(t, { databaseUrl: undefined })
  const file = await backUp(t, world.service)
  await restoredFrom(t, world, file)
  await world.service.stop()
  const db = new DatabaseSync(join(world.service.dataDir, 'rescind.db'))
  const rows = db
    .prepare('SELECT lease_ms FROM nodes WHERE left_at_ms IS NULL AND grants_since_ms IS NOT NULL AND lease_ms > 30000')
    .all()
  db.close()
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [{ lease_ms: 300_000 }],
  )
})

test('a database that was put back by other means goes on in a new epoch by command', async (t) => {
  const world = await sdkWorld(t, { databaseUrl: undefined })
  const token = await world.token()
  const { dataDir } = world.service
  await assert.rejects(openNewEpoch(testConfig(dataDir, { databaseUrl: undefined })), /in use by another process/)
  await world.service.stop()
  const { epoch, formerEpoch } = await openNewEpoch(testConfig(dataDir, { databaseUrl: undefined }))
  assert.notEqual(epoch, formerEpoch)
  world.service = await world.service.restart()
  assert.equal(await verdict(world.service, token.token), 'valid')
  assert.equal((await world.verifier()).status().position?.epoch, epoch)
  const empty = await temporaryFolder(t)
  await assert.rejects(openNewEpoch(testConfig(empty, { databaseUrl: undefined })), /There is no database in/)
  assert.deepEqual(readdirSync(empty), [])
})

test('a restore touches no folder that has a database, or whose key is another, and leaves nothing half done', async (t) => {
  const world = await sdkWorld(t, { databaseUrl: undefined })
  const file = await backUp(t, world.service)
  const { dataDir } = world.service
  const config = (folder: string) => testConfig(folder, { databaseUrl: undefined })
  await assert.rejects(restoreBackup(config(dataDir), file), /in use by another process/)
  await world.service.stop()
  await assert.rejects(restoreBackup(config(dataDir), file), StartRefused)
  await assert.rejects(restoreBackup(config(dataDir), file), /has a database already/)

  const folder = await temporaryFolder(t)
  const wrongKey = { ...config(folder), masterKey: new Uint8Array(32) }
  await assert.rejects(restoreBackup(wrongKey, file), /master key does not open/)
  await assert.rejects(restoreBackup(config(folder), join(folder, 'missing')), /There is no file/)
  assert.ok(readdirSync(folder).every((name) => name === 'rescind.lock'))
  await assert.rejects(restoreBackup(testConfig(folder, { databaseUrl: 'postgres://localhost/x' }), file), /unset it/)

  assert.equal((await restoreBackup(config(folder), file)).hasMasterKey, false)
  assert.deepEqual(readdirSync(folder).sort(), ['rescind.db', 'rescind.lock'])
  await rm(file)
  assert.ok(existsSync(join(folder, 'rescind.db')))
})
