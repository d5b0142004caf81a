import { type FileHandle, link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StorageRefused } from '../storage.ts'
import { syncFolder } from '../sync-folder.ts'

/** What a file is called until it is complete. */
const UNFINISHED = '.part'

/**
 * Writes a file that only its owner may read, under another name until it is complete, checked and durable. When anything
 * fails, no file stays.
 *
 * @param path absolute
 * @param check looks at the complete file under its other name
 * @returns what the check found
 * @throws StorageRefused when it cannot be written, or is there already
 */
export async function writeExport<T>(
  path: string,
  lines: AsyncIterable<string>,
  check: (unfinished: string) => Promise<T>,
): Promise<T> {
  const unfinished = path + UNFINISHED
  const removed: string[] = []
  try {
    await refuseExisting(path)
    // What an export left behind that ended in the middle.
    await rm(unfinished, { force: true })
    const file = await open(unfinished, 'wx', 0o600)
    removed.push(unfinished)
    await writeAll(file, lines)
    const found = await check(unfinished)
    await link(unfinished, path)
    removed.push(path)
    await rm(unfinished)
    await syncFolder(dirname(path))
    return found
  } catch (error) {
    for (const name of removed) await rm(name, { force: true })
    throw refusal(error, path)
  }
}

async function refuseExisting(path: string): Promise<void> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  await file?.close()
  if (file) throw new StorageRefused(`The file ${path} is there already; name one that is not.`)
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
