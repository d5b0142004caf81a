import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'
import { StorageRefused } from '../../storage/storage.ts'
import { temporaryFolder } from '../service/running-service.ts'
import { issue, joinNode, NOW_MS, newAuditEvent, revoke, revokeBulk, settle, subjectOf } from './fixtures.ts'

const FENCE = `INSERT INTO fence (id, fenced_at_ms, file, sha256) VALUES (1, ${NOW_MS}, '/backups/it.jsonl', 'x')`

test('a database that was exported takes no write in any table, whoever writes', async (t) => {
  const { db } = await filledDatabase(t)
  const tables = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('fence', 'schema_migrations')`)
    .all()
    .map(({ name }) => String(name))
  assert.equal(tables.length, 11)
  db.exec(FENCE)
  for (const table of tables) {
    const [column] = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all()
    const statements = [
      `INSERT INTO ${table} SELECT * FROM ${table} LIMIT 1`,
      `UPDATE ${table} SET ${column?.name} = ${column?.name}`,
      `DELETE FROM ${table}`,
    ]
    for (const statement of statements) {
      assert.throws(() => db.exec(statement), /was exported and takes no writes any more/, statement)
    }
  }
  for (const statement of [
    FENCE,
    'DELETE FROM fence',
    `UPDATE fence SET file = 'x'`,
    `REPLACE INTO fence SELECT * FROM fence`,
  ]) {
    assert.throws(() => db.exec(statement), /exported/, statement)
  }
})

test('a folder that was exported is refused at every start, by newer programs too, and says when and where to', async (t) => {
  const { db, dataDir } = await filledDatabase(t)
  db.exec(FENCE)
  db.exec(`INSERT INTO schema_migrations VALUES (99, 'from the future', 1)`)
  db.close()
  for (const _ of [1, 2]) {
    await assert.rejects(openSqlite({ dataDir, clock: { nowMs: () => NOW_MS } }), (error) => {
      assert.ok(error instanceof StorageRefused, String(error))
      assert.match(
        error.message,
        /was exported on 2026-09-21T\S+Z to \/backups\/it\.jsonl and lives on .* never serves again/,
      )
      return true
    })
  }
})

/** Every table has a row. */
async function filledDatabase(t: { after(end: () => Promise<unknown>): void }) {
  const dataDir = await temporaryFolder(t)
  const storage = await openSqlite({ dataDir, clock: { nowMs: () => NOW_MS } })
  const world = await settle(storage)
  await storage.transact(async (tx) => {
    await revoke(tx, (await issue(tx, world)).idx)
    await revokeBulk(tx, subjectOf('business', world))
    await tx.insertAuditEvent(newAuditEvent())
  })
  await joinNode(storage)
  await storage.close()
  const db = new DatabaseSync(join(dataDir, 'rescind.db'))
  t.after(async () => db.isOpen && db.close())
  return { db, dataDir }
}
