import type { Clock } from '@rescind/protocol'
import type { Storage } from '../storage.ts'
import { openFolder } from './open-folder.ts'
import { SqliteStorage } from './sqlite-storage.ts'

/**
 * Opens the database in a folder as a storage; see {@link openFolder}.
 *
 * @throws StorageRefused when it cannot be used
 */
export async function openSqlite(options: { readonly dataDir: string; readonly clock: Clock }): Promise<Storage> {
  const { db, lock, dataDir, statements } = await openFolder(options)
  return new SqliteStorage(db, lock, dataDir, statements, options.clock)
}
