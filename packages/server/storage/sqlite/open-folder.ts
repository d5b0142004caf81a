import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '@rescind/protocol'
import { StorageRefused } from '../storage.ts'
import { checkLog } from './check-log.ts'
import { createPrivateFile, DATABASE_FILE, hasDatabase, LOCK_FILE, prepareFolder, UNFINISHED } from './data-folder.ts'
import { checkFence } from './fence.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { migrate } from './migrations.ts'
import { removeLeftCopies } from './online-copy.ts'
import { PreparedStatements } from './prepared-statements.ts'
import { refusal } from './refusal.ts'

/** The database of a data folder, and the lock that keeps others away from it. */
export interface OpenedFolder {
  readonly db: DatabaseSync
  readonly statements: PreparedStatements
  readonly lock: FolderLock
  /** Absolute path. */
  readonly dataDir: string
}

/**
 * Settings of the connection. Exclusive mode comes before WAL, which then needs no shared memory file; FULL makes every
 * commit wait for the disk; recursive triggers make REPLACE fire the triggers that refuse deletion.
 */
const PRAGMAS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA recursive_triggers = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -65536;
  PRAGMA wal_autocheckpoint = 2000;
  PRAGMA journal_size_limit = 67108864;
`

/**
 * Opens the database in a folder, creating both when they are missing, and brings its schema up to date. The folder
 * belongs to this process until both are closed or the process ends.
 *
 * @throws StorageRefused when it cannot be used: taken, exported, half restored, not writable, damaged, or written by a newer version
 */
export async function openFolder(options: { readonly dataDir: string; readonly clock: Clock }): Promise<OpenedFolder> {
  const dataDir = resolve(options.dataDir)
  await prepareFolder(dataDir)
  const lockPath = join(dataDir, LOCK_FILE)
  const databasePath = join(dataDir, DATABASE_FILE)
  try {
    await createPrivateFile(lockPath)
    const lock = lockFolder(lockPath, dataDir)
    try {
      refuseUnrestored(dataDir)
      await removeLeftCopies(dataDir)
      await createPrivateFile(databasePath)
      const db = new DatabaseSync(databasePath, { timeout: 0 })
      return { db, lock, dataDir, statements: prepareDatabase(db, dataDir, options.clock) }
    } catch (error) {
      lock.release()
      throw error
    }
  } catch (error) {
    throw refusal(error, dataDir)
  }
}

/** Whoever was restoring an installation does not want a new one in its place. */
function refuseUnrestored(dataDir: string): void {
  if (hasDatabase(dataDir) || !existsSync(join(dataDir, UNFINISHED))) return
  throw new StorageRefused(
    `A restore into ${dataDir} was cut off; run \`rescind restore\` again, or remove ${join(dataDir, UNFINISHED)}.`,
  )
}

function prepareDatabase(db: DatabaseSync, dataDir: string, clock: Clock): PreparedStatements {
  try {
    db.exec(PRAGMAS)
    checkFence(db, dataDir)
    migrate(db, clock)
    const statements = new PreparedStatements(db)
    checkLog(statements, dataDir)
    return statements
  } catch (error) {
    db.close()
    throw error
  }
}
