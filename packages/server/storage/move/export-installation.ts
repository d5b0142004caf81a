import { rm } from 'node:fs/promises'
import type { Clock } from '@rescind/protocol'
import { readInstallation } from '../sql/installation.ts'
import { StorageRefused } from '../storage.ts'
import type { FenceableTransaction } from '../whole-installation.ts'
import { type CheckedExport, checkExport } from './check-export.ts'
import { describeInstallation } from './export-header.ts'
import { exportLines } from './export-lines.ts'
import { writeExport } from './write-export.ts'

/**
 * Writes everything to a file, and closes the database to writes for good, in one transaction. The file is complete, checked
 * and durable before the fence is: however this ends, either the database goes on as if nothing had been, or it is
 * fenced and the file is there.
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
    await rm(path, { force: true })
    throw error
  }
  await commit(source, path)
  return { path, header, sha256, signingKeys }
}

async function commit(source: FenceableTransaction, path: string): Promise<void> {
  try {
    await source.commit()
  } catch (cause) {
    // The fence may be there, and then this is all that goes on living.
    throw new StorageRefused(
      `The disk failed when the database was to be closed for good. If it is refused as exported at its next start, import ${path}; otherwise delete that file and export again.`,
      { cause },
    )
  }
}
