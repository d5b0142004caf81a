import { randomUUID } from 'node:crypto'
import { open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { backup, type DatabaseSync } from 'node:sqlite'
import { Unavailable } from '@rescind/protocol'
import type { DatabaseCopy } from '../storage.ts'
import type { Refused } from '../write.ts'
import { isEngineFault } from './engine-fault.ts'

const COPY_NAME = /^rescind\.copy-[0-9a-f-]{36}(?:-journal)?$/

/** Pages copied at a time: for so long the connection is taken, and whoever needs it waits. */
const PAGES_AT_A_TIME = 20

/**
 * Copies the database while it is in use, through the connection that uses it: what is committed meanwhile is in the copy
 * too. The copy is of one moment. Its file has no name any more when this resolves, and is gone once it was read or destroyed.
 *
 * @param mayGoOn asked again and again; the copy is given up when it says no
 * @returns a refusal when the disk became full
 * @throws Unavailable when it was given up
 */
export async function copyOnline(
  db: DatabaseSync,
  dataDir: string,
  mayGoOn: () => boolean,
): Promise<DatabaseCopy | Refused> {
  const path = join(dataDir, `rescind.copy-${randomUUID()}`)
  // Before it has content, so that no other user ever reads it.
  const file = await open(path, 'wx+', 0o600)
  let isSyncing = false
  try {
    const progress = () => {
      if (!mayGoOn()) throw new Unavailable('draining')
      // The last page is followed by a flush during which the connection is taken: little is to be left for that.
      if (isSyncing) return
      isSyncing = true
      const done = () => {
        isSyncing = false
      }
      file.datasync().then(done, done)
    }
    while (!(await hasCopied(db, path, progress))) progress()
    const { size } = await file.stat()
    return { bytes: size, content: file.createReadStream({ start: 0 }) }
  } catch (cause) {
    await file.close()
    if (isDiskFull(cause)) return { refused: 'backup_no_room' }
    throw isEngineFault(cause) ? new Unavailable('storage_unavailable', { cause }) : cause
  } finally {
    await unlink(path)
  }
}

/**
 * Where a transaction writes when a page is to be copied, that is tried again; but for the first one, for which Node
 * gives up with an error that says there is none.
 */
async function hasCopied(db: DatabaseSync, path: string, progress: () => void): Promise<boolean> {
  try {
    await backup(db, path, { rate: PAGES_AT_A_TIME, progress })
    return true
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === 0) return false
    throw error
  }
}

/** SQLITE_FULL (https://www.sqlite.org/rescode.html#full). */
function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 13
}

/** Removes copies that a process left behind which ended while it made them. */
export async function removeLeftCopies(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) if (COPY_NAME.test(name)) await unlink(join(dataDir, name))
}
