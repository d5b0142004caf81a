import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import type { Config } from '../../config.ts'
import { temporaryFolder, testConfig } from '../service/running-service.ts'
import { rowsOfFolder, rowsOfSchema, type StoredRows } from './stored-rows.ts'

/** Whatever runs a function when it ends. */
interface Lifetime {
  after(end: () => Promise<unknown>): void
}

/** An empty database to import into, with the master key of a data folder. */
export interface Target {
  readonly config: Config
  rows(): Promise<StoredRows>
  /** Whether anything is there, if only an empty table. */
  isEmpty(): Promise<boolean>
  /** To be called after everything that uses it was registered to end. */
  dropAtEnd(): void
}

/** @param url of a PostgreSQL server; `undefined` for a data folder */
export async function emptyTarget(t: Lifetime, sourceDir: string, url: string | undefined): Promise<Target> {
  const dataDir = await temporaryFolder(t)
  await copyFile(join(sourceDir, 'master.key'), join(dataDir, 'master.key'))
  const schema = `test_${randomUUID().replaceAll('-', '')}`
  const config = testConfig(dataDir, {
    databaseUrl: url,
    databaseSchema: schema,
    maxActiveTokens: 100,
    leaseSeconds: 2,
  })
  if (url === undefined) {
    return {
      config,
      rows: async () => rowsOfFolder(dataDir),
      isEmpty: async () =>
        !existsSync(join(dataDir, 'rescind.db')) || (rowsOfFolder(dataDir).installation ?? []).length === 0,
      dropAtEnd: () => {},
    }
  }
  const ask = async (text: string) => {
    const client = new Client(url)
    await client.connect()
    try {
      return await client.query(text)
    } finally {
      await client.end()
    }
  }
  return {
    config,
    rows: () => rowsOfSchema(url, schema),
    isEmpty: async () => (await ask(`SELECT 1 FROM pg_namespace WHERE nspname = '${schema}'`)).rowCount === 0,
    dropAtEnd: () => t.after(() => ask(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`)),
  }
}
