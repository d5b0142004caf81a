/** What takes an installation from one database to another: the wiring of the commands for it. */

import { resolve } from 'node:path'
import { assertOpensKeys } from './assert-opens-keys.ts'
import type { Config } from './config.ts'
import { clocks } from './machine.ts'
import { loadMasterKey } from './master-key.ts'
import { refusedByStorage } from './refused-by-storage.ts'
import { StartRefused } from './start-refused.ts'
import { type CheckedExport, checkExport } from './storage/move/check-export.ts'
import type { Counts } from './storage/move/export-header.ts'
import { exportInstallation, finishExport } from './storage/move/export-installation.ts'
import { importInstallation } from './storage/move/import-installation.ts'
import { openWholeSchema } from './storage/postgres/whole-schema.ts'
import { hasDatabase } from './storage/sqlite/data-folder.ts'
import { FolderFenced } from './storage/sqlite/fence.ts'
import { openWholeFolder } from './storage/sqlite/whole-folder.ts'
import { isUnfinishedExport } from './storage/unfinished-export.ts'
import type { WholeTransaction } from './storage/whole-installation.ts'

/** What went from one database to another. */
export interface Moved {
  /** Absolute path. */
  readonly file: string
  /** Of the log, and where it ends. */
  readonly epoch: string
  readonly seq: number
  /** The index that the next token gets. */
  readonly nextIdx: number
  /** Rows by table. */
  readonly counts: Counts
  /** As in the last line of the file. */
  readonly sha256: string
}

/**
 * Writes the installation of a data folder to a file. From then on the folder is never served again. An export that was cut
 * short is ended by another one to the same file.
 *
 * @throws StartRefused when there is none, it is in use, or the file cannot be written
 */
export async function exportTo(config: Config, path: string): Promise<Moved> {
  const { dataDir, databaseUrl } = config
  if (databaseUrl !== undefined) {
    throw new StartRefused('A data folder is exported, and DATABASE_URL says that none is used; unset it.')
  }
  if (!hasDatabase(dataDir)) throw new StartRefused(`There is no database in ${dataDir}.`)
  return refusedByStorage(async () => {
    const file = resolve(path)
    try {
      const source = await openWholeFolder({ dataDir, clock: clocks })
      return describe(await exportInstallation(source, file, clocks).finally(() => source.close()))
    } catch (error) {
      if (!(error instanceof FolderFenced && error.isUnfinished && error.fence.file === file)) throw error
      return describe(await finishExport(error.fence))
    }
  })
}

/**
 * Brings an installation that was exported into an empty database: the one that the configuration names, as for a start.
 *
 * @throws StartRefused when the file is not in order, the master key does not go with it, or the database is not empty
 */
export function importFrom(config: Config, path: string): Promise<Moved> {
  return refusedByStorage(async () => {
    if (isUnfinishedExport(path)) {
      throw new StartRefused(
        `The file ${path} is of an export that was cut short, whose folder may still serve; export that folder again.`,
      )
    }
    const checked = await checkExport(resolve(path))
    assertOpensKeys(loadMasterKey(config.dataDir, config.masterKey, false), checked.signingKeys, 'this export')
    const target = await openTarget(config)
    await importInstallation(target, checked).finally(() => target.close())
    return describe(checked)
  })
}

function openTarget({ dataDir, databaseUrl, databaseSchema }: Config): Promise<WholeTransaction> {
  return databaseUrl === undefined
    ? openWholeFolder({ dataDir, clock: clocks })
    : openWholeSchema({ url: databaseUrl, schema: databaseSchema, poolSize: 1, clock: clocks })
}

function describe({ path, header, sha256 }: CheckedExport): Moved {
  const { head, nextIdx, counts } = header
  return { file: path, epoch: head.epoch, seq: head.seq, nextIdx, counts, sha256 }
}
