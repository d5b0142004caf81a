/** Files that belong to whom PostgreSQL runs as. */
import { chown, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unprivilegedUser } from './unprivileged-user.ts'

/** Of a data folder, what only the server that runs on it needs. */
const OWN_FILES = new Set(['postmaster.pid', 'postmaster.opts', 'postgresql.auto.conf'])
/** Of a data folder, the folders of which this is true. */
const OWN_FOLDERS = new Set(['pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_stat_tmp'])

/** Copies a data folder, perhaps one that is written meanwhile, to a place where nothing is. */
export async function copyData(from: string, to: string): Promise<void> {
  await makeOwned(to)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (OWN_FOLDERS.has(entry.name)) await makeOwned(target)
    else if (entry.isDirectory()) await copyFolder(source, target)
    else if (!OWN_FILES.has(entry.name)) await copyOne(source, target)
  }
}

export async function writeOwned(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  await give(path)
}

async function copyFolder(from: string, to: string): Promise<void> {
  await makeOwned(to)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    await (entry.isDirectory() ? copyFolder(source, target) : copyOne(source, target))
  }
}

/** What was removed meanwhile is not needed: the log of the server says so, too. */
async function copyOne(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to)
    await give(to)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

async function makeOwned(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 })
  await give(path)
}

async function give(path: string): Promise<void> {
  const user = unprivilegedUser()
  if (user) await chown(path, user.uid, user.gid)
}
