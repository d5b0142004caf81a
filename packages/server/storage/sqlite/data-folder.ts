import { existsSync } from 'node:fs'
import { mkdir, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { refusal } from './refusal.ts'

/** The database in a data folder. */
export const DATABASE_FILE = 'rescind.db'
/** What keeps other processes out of it. */
export const LOCK_FILE = 'rescind.lock'
/** Where a database is that is being restored, until it may be served. */
export const UNFINISHED = 'rescind.restoring'

/**
 * Makes the data folder, closed to other users, and finds out by writing whether it can be written to: permission bits
 * say nothing to root, nor about a read-only or full disk.
 *
 * @throws StorageRefused with what is wrong
 */
export async function prepareFolder(dataDir: string): Promise<void> {
  const probe = join(dataDir, `rescind.probe-${process.pid}`)
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    const file = await open(probe, 'w', 0o600)
    try {
      await file.writeFile('probe')
      await file.sync()
    } finally {
      await file.close()
      await unlink(probe)
    }
  } catch (error) {
    throw refusal(error, dataDir)
  }
}

/** Whether there is a database in the folder, or a part of one. */
export function hasDatabase(dataDir: string): boolean {
  return ['', '-wal', '-journal'].some((suffix) => existsSync(join(dataDir, DATABASE_FILE + suffix)))
}

/**
 * Creates a file only its owner may read, unless it exists. One that exists is not even opened: closing it again would
 * drop the locks this process may hold on it.
 */
export async function createPrivateFile(path: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600)
    await file.close()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
