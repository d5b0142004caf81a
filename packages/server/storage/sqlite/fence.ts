import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { StorageRefused } from '../storage.ts'
import { unfinishedExport } from '../unfinished-export.ts'
import type { Fence } from '../whole-installation.ts'

/** From its commit on, the database takes no writes any more. */
export function raiseFence(db: DatabaseSync, { atMs, file, sha256 }: Fence): void {
  db.prepare('INSERT INTO fence (id, fenced_at_ms, file, sha256) VALUES (1, ?, ?, ?)').run(atMs, file, sha256)
}

/** The database was exported: served again, it would go on beside what was made of the export, and neither would hear of what the other revokes. */
export class FolderFenced extends StorageRefused {
  readonly fence: Fence
  /** The export was cut short after the fence: its file is complete, and has not got its name. */
  readonly isUnfinished: boolean

  constructor(dataDir: string, fence: Fence) {
    const { atMs, file } = fence
    const isUnfinished = !existsSync(file) && existsSync(unfinishedExport(file))
    const next = isUnfinished
      ? `the export was cut short when all of it was written; export to ${file} again, which ends it`
      : 'use that installation, or import the file into an empty one if that has not been done'
    super(
      `The installation in ${dataDir} was exported on ${new Date(atMs).toISOString()} to ${file} and lives on where that is imported, so this folder never serves again; ${next}.`,
    )
    this.fence = fence
    this.isUnfinished = isUnfinished
  }
}

/** To be called before anything is migrated. @throws FolderFenced when the database was exported */
export function checkFence(db: DatabaseSync, dataDir: string): void {
  if (db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'fence'`).get() === undefined) return
  const row = db.prepare('SELECT fenced_at_ms, file, sha256 FROM fence').get()
  if (row === undefined) return
  const { fenced_at_ms, file, sha256 } = row
  throw new FolderFenced(dataDir, { atMs: Number(fenced_at_ms), file: String(file), sha256: String(sha256) })
}
