/** What brings an installation back from a copy of its database: the wiring of the commands for it. */

import { randomUUID } from 'node:crypto'
import { statSync } from 'node:fs'
import { assertOpensKeys } from './assert-opens-keys.ts'
import type { Config } from './config.ts'
import { continueLog } from './continue-log.ts'
import { createLog } from './log.ts'
import { clocks, newId, timersOfCommand } from './machine.ts'
import { hasMasterKey, loadMasterKey } from './master-key.ts'
import { openStorage } from './open-installation.ts'
import { refusedByStorage } from './refused-by-storage.ts'
import { nobodyDecides } from './revocations/nobody-decides.ts'
import type { OpenedEpoch } from './revocations/open-epoch.ts'
import { StartRefused } from './start-refused.ts'
import { hasTables } from './storage/postgres/has-tables.ts'
import { checkCopy } from './storage/sqlite/check-copy.ts'
import { hasDatabase } from './storage/sqlite/data-folder.ts'
import { restoreCopy } from './storage/sqlite/restore-copy.ts'

/** What a backup holds. */
interface CheckedBackup {
  /** The last entry of the revocation log in the backup. */
  readonly seq: number
  /** When something was last changed that is in the backup, in milliseconds since the epoch. */
  readonly lastChangeMs: number
  readonly bytes: number
}

/** What a data folder was restored to. */
export interface Restored extends Omit<CheckedBackup, 'bytes'> {
  readonly epoch: string
  /** The service cannot start without one. */
  readonly hasMasterKey: boolean
}

/**
 * Checks a file that `rescind backup` made.
 *
 * @throws StartRefused when it is not sound
 */
export function checkBackup(file: string): Promise<CheckedBackup> {
  return refusedByStorage(() => {
    const { head, lastChangeMs } = checkCopy(file)
    return { seq: head.seq, lastChangeMs, bytes: statSync(file).size }
  })
}

/**
 * Puts a backup into a data folder that has no database, and opens a new epoch of its log.
 *
 * @throws StartRefused with one sentence for a person
 */
export async function restoreBackup(config: Config, file: string): Promise<Restored> {
  const { dataDir, masterKey, databaseUrl } = config
  if (databaseUrl !== undefined) {
    throw new StartRefused(
      'A backup is restored into a data folder, and DATABASE_URL says that none is used; unset it.',
    )
  }
  const hasKey = hasMasterKey(dataDir, masterKey)
  return refusedByStorage(() =>
    restoreCopy({ file, dataDir, clock: clocks }, async (storage, { head, lastChangeMs }) => {
      if (hasKey) {
        assertOpensKeys(loadMasterKey(dataDir, masterKey, false), await storage.read.signingKeys(), 'this backup')
      }
      const { epoch } = await continueLog(storage, { clock: clocks, newId, newUuid: randomUUID })
      return { seq: head.seq, lastChangeMs, epoch, hasMasterKey: hasKey }
    }),
  )
}

/**
 * Opens a new epoch in a database that was put back, or lost its end, by other means.
 *
 * @throws StartRefused when there is no installation, or services are running on it
 */
export async function openNewEpoch(config: Config): Promise<OpenedEpoch> {
  await refuseMissing(config)
  const storage = await openStorage(config, createLog(config.logLevel).logger)
  try {
    // A data folder is this process's alone.
    const isShared = config.databaseUrl !== undefined
    const { membership } = storage
    if (isShared && !(await nobodyDecides({ membership, monotonicMs: clocks.monotonicMs, timers: timersOfCommand }))) {
      throw new StartRefused('Services are running on this database; stop every one of them first.')
    }
    return await refusedByStorage(() => continueLog(storage, { clock: clocks, newId, newUuid: randomUUID }))
  } finally {
    await storage.close()
  }
}

/** To be called before anything is opened, which would make what is missing. */
async function refuseMissing(config: Config): Promise<void> {
  const { dataDir, databaseUrl: url, databaseSchema: schema } = config
  if (url === undefined) {
    if (!hasDatabase(dataDir)) throw new StartRefused(`There is no database in ${dataDir}.`)
  } else if (!(await refusedByStorage(() => hasTables({ url, schema, poolSize: 1 })))) {
    throw new StartRefused(`There is no installation in the schema ${schema} of the database that DATABASE_URL names.`)
  }
}
