import type { DatabaseSync } from 'node:sqlite'
import { StorageRefused } from '../storage.ts'
import type { Fence } from '../whole-installation.ts'

/** From its commit on, the database takes no writes any more. */
export function raiseFence(db: DatabaseSync, { atMs, file, sha256 }: Fence): void {
  db.prepare('INSERT INTO fence (id, fenced_at_ms, file, sha256) VALUES (1, ?, ?, ?)').run(atMs, file, sha256)
}

/**
 * To be called before anything is migrated.
 *
 * @throws StorageRefused when the database was exported: served again, it would go on beside what was made of the export,
 *   and neither would hear of what the other revokes
 */
export function checkFence(db: DatabaseSync, dataDir: string): void {
  if (db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'fence'`).get() === undefined) return
  const row = db.prepare('SELECT fenced_at_ms, file FROM fence').get()
  if (row === undefined) return
  throw new StorageRefused(
    `The installation in ${dataDir} was exported on ${new Date(Number(row.fenced_at_ms)).toISOString()} to ${row.file} and lives on where that is imported, so this folder never serves again; use that installation, or import the file into an empty one if that has not been done.`,
  )
}
