import type { DatabaseCopy, Storage } from './storage/storage.ts'
import type { Refused, Write } from './storage/write.ts'

/** Copies the database, and says so in it first: a restored one knows when the copy was made, and for whom. */
export async function makeBackup(storage: Pick<Storage, 'copy'>, write: Write): Promise<DatabaseCopy | Refused> {
  if (storage.copy === undefined) return { refused: 'backup_elsewhere' }
  return storage.copy(() =>
    write(async (tx, audit) => {
      await audit('backup.made', { businessId: null, id: (await tx.head()).epoch })
      return {}
    }),
  )
}
