import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { ERRORS, type ErrorCode } from '@rescind/protocol'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'
import { mountSmallDisk } from '../durability/mounted-disk.ts'
import { addMember, expect, issueTo } from '../service/provisioning.ts'
import { type RunningService, runService, temporaryFolder } from '../service/running-service.ts'
import { runProgram } from '../service/service-process.ts'
import { issue, NOW_MS, settle } from '../storage/fixtures.ts'
import { PostgresSchema } from '../storage/postgres-schema.ts'
import { copiesIn } from './backup-file.ts'

const { url: databaseUrl, skip } = await databaseForTests()

async function assertRefused(t: TestContext, service: RunningService, code: ErrorCode) {
  const { status, detail } = ERRORS[code]
  const answer = await service.call('POST', '/api/v1/backup', { token: service.operatorToken, business: null })
  assert.deepEqual([answer.status, answer.json], [status, { detail }])

  const folder = await temporaryFolder(t)
  const env = { RESCIND_URL: service.url, RESCIND_TOKEN: service.operatorToken }
  const backup = await runProgram(t, ['backup', join(folder, 'backup.db')], env)
  assert.deepEqual(backup, { code: 7, stdout: '', stderr: `error: ${detail}\n` })
  assert.deepEqual(readdirSync(folder), [])
}

test('a service on PostgreSQL makes no backup, and says what does', { skip }, async (t) => {
  const schema = new PostgresSchema(t, databaseUrl ?? '')
  const service = await runService(t, { databaseUrl, databaseSchema: schema.name })
  await assertRefused(t, service, 'backup_elsewhere')
  await service.stop()
})

test('a backup that the disk has no room for is refused before anything is written', async (t) => {
  const disk = mountSmallDisk(t, '80m')
  if (disk === undefined) return
  const service = await runService(t, { databaseUrl: undefined, dataDir: disk.path })
  const ballast = join(disk.path, 'ballast')
  writeFileSync(ballast, new Uint8Array(20 << 20))
  await assertRefused(t, service, 'backup_no_room')
  assert.deepEqual(copiesIn(disk.path), [])
  const { id } = await issueTo(service, await addMember(service, 'member'), { name: randomUUID() })
  expect(201, await service.call('POST', `/api/v1/tokens/${id}/revoke`))

  rmSync(ballast)
  const asked = await fetch(`${service.url}/api/v1/backup`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.operatorToken}` },
  })
  assert.equal(asked.status, 200)
  const file = join(await temporaryFolder(t), 'backup.db')
  writeFileSync(file, new Uint8Array(await asked.arrayBuffer()))
  const db = new DatabaseSync(file, { readOnly: true })
  const made = db.prepare(`SELECT count(*) AS count FROM audit_events WHERE action = 'backup.made'`).get()
  db.close()
  assert.equal(made?.count, 1)
})

test('a copy during which the disk becomes full is refused, leaves nothing, and costs the storage nothing', async (t) => {
  const disk = mountSmallDisk(t, '80m')
  if (disk === undefined) return
  const storage = await openSqlite({ dataDir: disk.path, clock: { nowMs: () => NOW_MS } })
  const world = await settle(storage)
  const ballast = join(disk.path, 'ballast')
  const copied = await storage.copy?.(async () => {
    assert.throws(() => writeFileSync(ballast, new Uint8Array(80 << 20)), { code: 'ENOSPC' })
    return {}
  })
  assert.deepEqual(copied, { refused: 'backup_no_room' })
  assert.deepEqual(copiesIn(disk.path), [])
  rmSync(ballast)
  await storage.transact((tx) => issue(tx, world))
  await storage.close()
})
