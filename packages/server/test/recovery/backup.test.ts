import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { checkBackup } from '../../server.ts'
import { migrate } from '../../storage/sqlite/migrations.ts'
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'
import { addMember, expect, issueTo } from '../service/provisioning.ts'
import { runService, temporaryFolder } from '../service/running-service.ts'
import { issue, NOW_MS, revoke, settle } from '../storage/fixtures.ts'
import { backUp } from './backup-file.ts'

const EMBEDDED = { databaseUrl: undefined, maxActiveTokens: 10_000 }

test('a backup that is made while tokens are issued and revoked is sound, and has everything that was answered before it began', async (t) => {
  const service = await runService(t, EMBEDDED)
  const holder = await addMember(service, 'member')
  let isOver = false
  const work = async () => {
    while (!isOver) {
      const { id } = await issueTo(service, holder)
      expect(201, await service.call('POST', `/api/v1/tokens/${id}/revoke`))
    }
  }
  const workers = [work(), work(), work()]
  for (let n = 0; n < 5; n++) {
    const { id } = await issueTo(service, holder)
    expect(201, await service.call('POST', `/api/v1/tokens/${id}/revoke`))
    const file = await backUp(t, service)
    const { seq } = await checkBackup(file)
    const db = new DatabaseSync(file, { readOnly: true })
    assert.ok(db.prepare('SELECT revoked_seq FROM tokens WHERE id = ?').get(id)?.revoked_seq)
    const [made] = db.prepare(`SELECT count(*) AS count FROM audit_events WHERE action = 'backup.made'`).all()
    assert.equal(made?.count, n + 1)
    db.close()
    assert.ok(seq > n)
  }
  isOver = true
  await Promise.all(workers)
  assert.ok(!readdirSync(service.dataDir).some((name) => name.startsWith('rescind.copy')))
})

test('the master key is not in a backup, and no token is', async (t) => {
  const service = await runService(t, EMBEDDED)
  const bytes = readFileSync(await backUp(t, service)).toString('latin1')
  const key = readFileSync(join(service.dataDir, 'master.key'), 'utf8').trim()
  for (const secret of [key, Buffer.from(key, 'base64url').toString('latin1'), service.operatorToken.slice(-80)]) {
    assert.ok(!bytes.includes(secret))
  }
})

test('a copy that a process left behind when it ended is removed at the next start', async (t) => {
  const dataDir = await temporaryFolder(t)
  const names = ['', '-journal'].map((end) => `rescind.copy-01980a5e-7c1f-4a30-8d4b-2f6f7d0c9a11${end}`)
  for (const name of names) writeFileSync(join(dataDir, name), 'x')
  writeFileSync(join(dataDir, 'rescind.copy-mine'), 'x')
  const storage = await openSqlite({ dataDir, clock: { nowMs: () => NOW_MS } })
  assert.deepEqual(
    readdirSync(dataDir).filter((name) => name.startsWith('rescind.copy')),
    ['rescind.copy-mine'],
  )
  await storage.close()
})

test('a copy that is asked for in the middle of a transaction has that transaction, or nothing of it', async (t) => {
  const dataDir = await temporaryFolder(t)
  const storage = await openSqlite({ dataDir, clock: { nowMs: () => NOW_MS } })
  const world = await settle(storage)
  const proceed = Promise.withResolvers<void>()
  const running = storage.transact(async (tx) => {
    const tokens = [await issue(tx, world), await issue(tx, world)]
    await proceed.promise
    for (const { idx } of tokens) await revoke(tx, idx)
  })
  await new Promise((resolve) => setImmediate(resolve))
  const copying = storage.copy?.(async () => ({}))
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  proceed.resolve()
  await running
  const file = join(await temporaryFolder(t), 'copy.db')
  const copy = await copying
  assert.ok(copy && 'content' in copy)
  await writeFile(file, copy.content)
  await storage.close()
  assert.equal((await checkBackup(file)).seq, 2)
})

test('a storage that is closed makes no copy, and gives up the one it is making', async (t) => {
  const dataDir = await temporaryFolder(t)
  const storage = await openSqlite({ dataDir, clock: { nowMs: () => NOW_MS } })
  const world = await settle(storage)
  for (let n = 0; n < 10; n++) {
    await storage.transact(async (tx) => {
      for (let each = 0; each < 300; each++) await issue(tx, world)
    })
  }
  const copying = storage.copy?.(async () => ({})).catch((error: unknown) => error)
  await new Promise((resolve) => setImmediate(resolve))
  await storage.close()
  assert.ok((await copying) instanceof Error)
  await assert.rejects(storage.copy?.(async () => ({})) ?? Promise.resolve())
  assert.deepEqual(
    readdirSync(dataDir).filter((name) => name.startsWith('rescind.copy')),
    [],
  )
})

describe('a backup is refused when', () => {
  for (const [what, tamper, sentence] of [
    ['a byte of it was changed', (bytes: Buffer) => bytes.fill(0xa5, 4096, 5000), /damaged|sound/],
    ['it ends early', (bytes: Buffer) => bytes.subarray(0, 8192), /damaged|sound/],
    ['it is another file', () => Buffer.from('x'.repeat(8192)), /damaged or is no backup/],
    ['it is empty', () => Buffer.alloc(0), /damaged or is no backup/],
  ] as const) {
    test(what, async (t) => {
      const file = await stored(t)
      writeFileSync(file, tamper(readFileSync(file)))
      await assert.rejects(checkBackup(file), sentence)
    })
  }

  for (const [what, sql, sentence] of [
    ['a guard is missing', 'DROP TRIGGER log_kept', /triggers that guard/],
    [
      'a guard is another',
      'DROP TRIGGER log_kept; CREATE TRIGGER log_kept BEFORE DELETE ON revocation_log BEGIN SELECT 1; END',
      /triggers that guard/,
    ],
    ['it has a table of its own', 'CREATE TABLE mine (a)', /tables/],
    ['a newer version wrote it', `INSERT INTO schema_migrations VALUES (99, 'from the future', 1)`, /newer program/],
    [
      'a revocation was undone',
      without(
        'token_revocation_final',
        'UPDATE tokens SET revoked_seq = NULL, revoked_at_ms = NULL, revoked_by = NULL, revocation_reason = NULL',
      ),
      /not revoked that the log revokes/,
    ],
    [
      'the counter was set back',
      without('counter_forward', 'UPDATE idx_counter SET next_idx = 1'),
      /counter has not reached/,
    ],
    [
      'an entry was altered',
      without('log_unchanged', `UPDATE revocation_log SET at_ms = 1 WHERE seq = 1`),
      /does not continue/,
    ],
    ['its head names another epoch', without('head_follows_log', `UPDATE log_head SET epoch = 'x'`), /another epoch/],
  ] as const) {
    test(what, async (t) => {
      const file = await stored(t)
      assert.equal((await checkBackup(file)).seq, 3)
      const db = new DatabaseSync(file, { enableForeignKeyConstraints: false })
      db.exec(sql)
      db.close()
      await assert.rejects(checkBackup(file), sentence)
    })
  }

  test('a part of it is in another file', async (t) => {
    const file = await stored(t)
    writeFileSync(`${file}-wal`, '')
    await assert.rejects(checkBackup(file), /was not closed/)
  })
})

/** A statement that a trigger refuses, with the trigger as it was afterwards. */
function without(trigger: string, statement: string): string {
  const restore = guardsOf(trigger)
  return `DROP TRIGGER ${trigger}; ${statement}; ${restore}`
}

function guardsOf(trigger: string): string {
  const db = new DatabaseSync(':memory:')
  migrate(db, { nowMs: () => NOW_MS })
  const sql = db.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').get(trigger)?.sql
  db.close()
  return String(sql)
}

/** A closed database with a log of three entries. */
async function stored(t: { after(end: () => Promise<unknown>): void }): Promise<string> {
  const dataDir = await temporaryFolder(t)
  const storage = await openSqlite({ dataDir, clock: { nowMs: () => NOW_MS } })
  const world = await settle(storage)
  await storage.transact(async (tx) => {
    for (let n = 0; n < 3; n++) await revoke(tx, (await issue(tx, world)).idx)
    await issue(tx, world)
  })
  await storage.close()
  const file = join(await temporaryFolder(t), 'backup.db')
  await cp(join(dataDir, 'rescind.db'), file)
  return file
}
