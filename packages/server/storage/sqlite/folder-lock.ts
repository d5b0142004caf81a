import { DatabaseSync } from 'node:sqlite'
import { StorageRefused } from '../storage.ts'

/** Held until it is released or the process ends, however it ends: the kernel lets go of it. */
export interface FolderLock {
  release(): void
}

/**
 * Keeps other processes out of a data folder. The lock is an exclusive transaction on a small SQLite database of its
 * own, because the lock on the data itself would be dropped if anything in this process opened and closed that file
 * (POSIX record locks belong to the process, not to the descriptor). The file stays; its presence means nothing.
 *
 * @throws StorageRefused when another process, or this one, holds the lock
 */
export function lockFolder(path: string, dataDir: string): FolderLock {
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    // In memory, so that nothing is left over to be replayed; the write never commits, but it is refused where BEGIN
    // would be silently weakened: on a file that can only be read.
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE; PRAGMA user_version = 1')
  } catch (error) {
    db.close()
    if (isBusy(error))
      throw new StorageRefused(`The data folder ${dataDir} is in use by another process; stop that first.`)
    throw error
  }
  return { release: () => db.close() }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5
}
