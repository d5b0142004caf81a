import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunningService, temporaryFolder } from '../service/running-service.ts'

/** Whatever runs a function when it ends. */
interface Lifetime {
  after(end: () => Promise<unknown>): void
}

/** Asks the service for a backup. @returns the path of the file */
export async function backUp(t: Lifetime, { url, operatorToken }: RunningService): Promise<string> {
  const headers = { authorization: `Bearer ${operatorToken}` }
  const response = await fetch(`${url}/api/v1/backup`, { method: 'POST', headers })
  assert.equal(response.status, 200)
  const file = join(await temporaryFolder(t), 'backup.db')
  await writeFile(file, Buffer.from(await response.arrayBuffer()))
  return file
}

/** A data folder that has the master key of another, and nothing else. */
export async function folderWithKey(t: Lifetime, dataDir: string): Promise<string> {
  const folder = await temporaryFolder(t)
  await copyFile(join(dataDir, 'master.key'), join(folder, 'master.key'))
  return folder
}

/** The copies that a service is making in its data folder. */
export function copiesIn(dataDir: string): string[] {
  return readdirSync(dataDir).filter((name) => name.startsWith('rescind.copy'))
}
