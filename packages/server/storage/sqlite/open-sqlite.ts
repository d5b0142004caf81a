import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '@rescind/protocol'
import type { Storage } from '../storage.ts'
import { checkLog } from './check-log.ts'
import { createPrivateFile, DATABASE_FILE, LOCK_FILE, prepareFolder } from './data-folder.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { migrate } from './migrations.ts'
import { removeLeftCopies } from './online-copy.ts'
import { PreparedStatements } from './prepared-statements.ts'
import { refusal } from './refusal.ts'
import { SqliteStorage } from './sqlite-storage.ts'

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
 * belongs to this process until the storage is closed or the process ends.
 *
 * @throws StorageRefused when it cannot be used: taken, not writable, damaged, or written by a newer version
 */
export async function openSqlite(options: { readonly dataDir: string; readonly clock: Clock }): Promise<Storage> {
  const dataDir = resolve(options.dataDir)
  await prepareFolder(dataDir)
  const lockPath = join(dataDir, LOCK_FILE)
  const databasePath = join(dataDir, DATABASE_FILE)
  try {
    await createPrivateFile(lockPath)
    const lock = lockFolder(lockPath, dataDir)
    try {
      await removeLeftCopies(dataDir)
      await createPrivateFile(databasePath)
      return openStorage(new DatabaseSync(databasePath, { timeout: 0 }), lock, dataDir, options.clock)
    } catch (error) {
      lock.release()
      throw error
    }
  } catch (error) {
    throw refusal(error, dataDir)
  }
}

function openStorage(db: DatabaseSync, lock: FolderLock, dataDir: string, clock: Clock): Storage {
  try {
    db.exec(PRAGMAS)
    migrate(db, clock)
    const statements = new PreparedStatements(db)
    checkLog(statements, dataDir)
    return new SqliteStorage(db, lock, dataDir, statements, clock)
  } catch (error) {
    db.close()
    throw error
  }
}
