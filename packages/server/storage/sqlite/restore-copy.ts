import { constants, existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, open, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Clock } from '@rescind/protocol'
import { type Storage, StorageRefused } from '../storage.ts'
import { syncFolder } from '../sync-folder.ts'
import { type CheckedCopy, checkCopy } from './check-copy.ts'
import { createPrivateFile, DATABASE_FILE, hasDatabase, LOCK_FILE, prepareFolder, UNFINISHED } from './data-folder.ts'
import { lockFolder } from './folder-lock.ts'
import { openSqlite } from './open-sqlite.ts'
import { refusal } from './refusal.ts'

interface Restoring {
  readonly file: string
  readonly dataDir: string
  readonly clock: Clock
}

/**
 * Puts a copy of the database into a data folder that has none. It appears there whole, once `complete` is done with it,
 * or not at all: what the copy does not know yet must not be served, whenever this is cut off.
 *
 * @throws StorageRefused when the copy is not sound, or the folder has a database, is taken or cannot be written to
 */
export async function restoreCopy<T>(
  { file, dataDir: folder, clock }: Restoring,
  complete: (storage: Storage, copy: CheckedCopy) => Promise<T>,
): Promise<T> {
  const dataDir = resolve(folder)
  checkCopy(file)
  await prepareFolder(dataDir)
  const lockPath = join(dataDir, LOCK_FILE)
  const unfinished = join(dataDir, UNFINISHED)
  const database = join(unfinished, DATABASE_FILE)
  try {
    await createPrivateFile(lockPath)
    const lock = lockFolder(lockPath, dataDir)
    try {
      if (hasDatabase(dataDir)) {
        throw new StorageRefused(`The folder ${dataDir} has a database already; name one that has none.`)
      }
      await rm(unfinished, { recursive: true, force: true })
      await mkdir(unfinished, { mode: 0o700 })
      await copyFile(file, database, constants.COPYFILE_EXCL)
      await chmod(database, 0o600)
      const copy = checkCopy(database)
      const storage = await openSqlite({ dataDir: unfinished, clock })
      const result = await complete(storage, copy).finally(() => storage.close())
      if (existsSync(`${database}-wal`)) throw new Error(`The database in ${unfinished} could not be closed.`)
      await syncFile(database)
      await rename(database, join(dataDir, DATABASE_FILE))
      syncFolder(dataDir)
      return result
    } finally {
      await rm(unfinished, { recursive: true, force: true })
      lock.release()
    }
  } catch (error) {
    throw refusal(error, dataDir)
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
