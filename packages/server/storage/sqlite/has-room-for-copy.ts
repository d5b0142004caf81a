import { statfs } from 'node:fs/promises'
import type { DatabaseSync } from 'node:sqlite'

/** Left to the database itself, in bytes: as much as its log of writes keeps (`journal_size_limit`). */
const SPARE_BYTES = 64 * 1024 * 1024

/**
 * Whether the disk of the data folder takes a copy of the database, and leaves it room to go on: a commit that the disk
 * refuses ends the service.
 */
export async function hasRoomForCopy(db: DatabaseSync, dataDir: string): Promise<boolean> {
  const size = db.prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size').get()
  const { bavail, bsize, blocks } = await statfs(dataDir)
  // Some network file systems do not say.
  return blocks === 0 || bavail * bsize >= Number(size?.bytes) + SPARE_BYTES
}
