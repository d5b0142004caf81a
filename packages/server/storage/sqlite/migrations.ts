import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '@rescind/protocol'
import { StorageRefused } from '../storage.ts'
import { inTransaction } from './in-transaction.ts'
import { tables } from './migrations/0001-tables.ts'
import { guards } from './migrations/0002-guards.ts'
import { nodes } from './migrations/0003-nodes.ts'
import { epochs } from './migrations/0004-epochs.ts'
import { fence } from './migrations/0005-fence.ts'
import type { Migration } from './migrations/migration.ts'

const MIGRATIONS: readonly Migration[] = [tables, guards, nodes, epochs, fence]

/**
 * Brings the schema up to date, each step in a transaction of its own together with its record.
 *
 * @throws StorageRefused when the database was written by a newer version: what it added may be what makes a revocation hold.
 */
export function migrate(db: DatabaseSync, clock: Clock, migrations: readonly Migration[] = MIGRATIONS): void {
  db.exec(
    'CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT',
  )
  const current = schemaVersion(db)
  refuseNewer(current, migrations.length)
  const record = db.prepare('INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (?, ?, ?)')
  for (const { version, name, sql } of migrations.slice(current)) {
    inTransaction(db, () => {
      db.exec(sql)
      record.run(version, name, clock.nowMs())
    })
  }
}

/** @throws Error when this is no database of the service */
export function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('SELECT coalesce(max(version), 0) AS version FROM schema_migrations').get()?.version)
}

/** @throws StorageRefused when a newer program wrote it */
export function refuseNewer(version: number, known = MIGRATIONS.length): void {
  if (version <= known) return
  throw new StorageRefused(
    `The database is of schema version ${version} and this program knows ${known}; start the newer program that wrote it.`,
  )
}

/** An empty database as the program of that version made it, in memory. */
export function schemaAt(version: number): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  migrate(db, { nowMs: () => 0 }, MIGRATIONS.slice(0, version))
  return db
}
