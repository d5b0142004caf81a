import { rm } from 'node:fs/promises'
import type { Clock } from '@rescind/protocol'
import { readInstallation } from '../sql/installation.ts'
import { StorageRefused } from '../storage.ts'
import { unfinishedExport } from '../unfinished-export.ts'
import type { Fence, FenceableTransaction } from '../whole-installation.ts'
import { type CheckedExport, checkExport } from './check-export.ts'
import { describeInstallation } from './export-header.ts'
import { exportLines } from './export-lines.ts'
import { nameExport, writeExport } from './write-export.ts'

/**
 * Writes everything to a file, and closes the database to writes for good, in one transaction. The file is complete, checked
 * and durable before the fence is, and gets its name after it: however this ends, either the database goes on, and nothing
 * can be imported, or it is fenced, and {@link finishExport} finds what is left to do.
 *
 * @param path absolute
 * @throws StorageRefused when nothing is installed, or the file cannot be written or could not be imported
 */
export async function exportInstallation(
  source: FenceableTransaction,
  path: string,
  clock: Clock,
): Promise<CheckedExport> {
  if ((await source.run(readInstallation, {})) === undefined) {
    throw new StorageRefused('The database is empty: nothing was installed in it.')
  }
  const createdAtMs = clock.nowMs()
  const header = await describeInstallation(source, { schemaVersion: source.schemaVersion, createdAtMs })
  const { sha256, signingKeys } = await writeExport(path, exportLines(source, header), checkExport)
  try {
    source.fence({ atMs: createdAtMs, file: path, sha256 })
  } catch (error) {
    await rm(unfinishedExport(path), { force: true })
    throw error
  }
  await commit(source, path)
  await nameExport(path)
  return { path, header, sha256, signingKeys }
}

async function commit(source: FenceableTransaction, path: string): Promise<void> {
  try {
    await source.commit()
  } catch (cause) {
    // The fence may be there, and then this is all that goes on living.
    throw new StorageRefused(
      `The disk failed when the database was to be closed for good. Export to ${path} once more: that ends this export, or says what is in the way.`,
      { cause },
    )
  }
}

/**
 * Gives the file of an export that ended after its fence the name that it has not got.
 *
 * @throws StorageRefused when it is not the file that the database was fenced for, or cannot get its name
 */
export async function finishExport({ file, sha256 }: Fence): Promise<CheckedExport> {
  const unfinished = unfinishedExport(file)
  const checked = await checkExport(unfinished)
  if (checked.sha256 !== sha256) {
    throw new StorageRefused(`The file ${unfinished} is not what this folder was exported to.`)
  }
  await nameExport(file)
  return { ...checked, path: file }
}
