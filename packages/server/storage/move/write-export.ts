import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StorageRefused } from '../storage.ts'
import { syncFolder } from '../sync-folder.ts'
import { unfinishedExport } from '../unfinished-export.ts'

/**
 * Writes an export that only its owner may read, complete, checked and durable, under the name of an unfinished one. When
 * anything fails, no file stays.
 *
 * @param path absolute: the name that it is to get
 * @param check looks at the complete file under its other name
 * @returns what the check found
 * @throws StorageRefused when it cannot be written, or is there already
 */
export async function writeExport<T>(
  path: string,
  lines: AsyncIterable<string>,
  check: (unfinished: string) => Promise<T>,
): Promise<T> {
  const unfinished = unfinishedExport(path)
  let isOurs = false
  try {
    await refuseExisting(path)
    await refuseLeft(path)
    const file = await open(unfinished, 'wx', 0o600)
    isOurs = true
    await writeAll(file, lines)
    const found = await check(unfinished)
    syncFolder(dirname(path))
    return found
  } catch (error) {
    if (isOurs) await rm(unfinished, { force: true })
    throw refusal(error, path)
  }
}

/**
 * Gives a written export its name. To be called when the database that it was made of is closed.
 *
 * @throws StorageRefused when it cannot, or there is another file of that name
 */
export async function nameExport(path: string): Promise<void> {
  const unfinished = unfinishedExport(path)
  try {
    if (await exists(path)) {
      throw new StorageRefused(
        `The file ${path} is in the way of ${unfinished}; move it away, and export to ${path} again.`,
      )
    }
    await rename(unfinished, path)
    syncFolder(dirname(path))
  } catch (error) {
    throw refusal(error, path)
  }
}

/** It may be all that goes on living of another installation. */
async function refuseLeft(path: string): Promise<void> {
  const unfinished = unfinishedExport(path)
  if (!(await exists(unfinished))) return
  throw new StorageRefused(
    `The file ${unfinished} is there, of an export that goes on or was cut short; export again the folder that it was made of, or delete it if that folder still serves.`,
  )
}

async function refuseExisting(path: string): Promise<void> {
  if (await exists(path)) throw new StorageRefused(`The file ${path} is there already; name one that is not.`)
}

async function exists(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  await file?.close()
  return file !== undefined
}

async function writeAll(file: FileHandle, lines: AsyncIterable<string>): Promise<void> {
  try {
    for await (const some of lines) await file.writeFile(some)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** By error code of the operating system. */
const REASONS: Record<string, string> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder does not exist',
  EISDIR: 'it is a folder',
  EACCES: 'its folder cannot be written to',
  EPERM: 'its folder cannot be written to',
  EROFS: 'its disk is mounted read-only',
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk is full',
  EEXIST: 'it is there already',
  EIO: 'its disk fails to read or write',
}

function refusal(error: unknown, path: string): unknown {
  const reason = REASONS[codeOf(error) ?? '']
  return reason ? new StorageRefused(`The file ${path} cannot be written: ${reason}.`, { cause: error }) : error
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
