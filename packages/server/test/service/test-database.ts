import { hash } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after } from 'node:test'
import { Client, types } from 'pg'
import type { Config } from '../../config.ts'
import { clocks, timers } from '../../machine.ts'
import { openPostgres } from '../../storage/postgres/open-postgres.ts'
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'
import type { Storage } from '../../storage/storage.ts'

/**
 * Where the services of the tests keep what they store: in the embedded database of a data folder, or, where the
 * environment names PostgreSQL as the backend, in the schema that goes with that folder.
 */
const serverUrl = process.env.RESCIND_TEST_BACKEND === 'postgres' ? process.env.RESCIND_TEST_DATABASE_URL : undefined
if (process.env.RESCIND_TEST_BACKEND === 'postgres' && serverUrl === undefined) {
  throw new Error('RESCIND_TEST_BACKEND=postgres needs RESCIND_TEST_DATABASE_URL.')
}

const usedSchemas = new Set<string>()

if (serverUrl !== undefined) after(dropSchemas)

function schemaOf(dataDir: string): string {
  const schema = `test_${hash('sha256', dataDir).slice(0, 32)}`
  usedSchemas.add(schema)
  return schema
}

/** The settings of a service in this process. */
export function databaseConfig(dataDir: string): Pick<Config, 'databaseUrl' | 'databaseSchema' | 'databasePoolSize'> {
  return { databaseUrl: serverUrl, databaseSchema: schemaOf(dataDir), databasePoolSize: 4 }
}

/** The settings of a service in a process of its own. */
export function databaseEnv(dataDir: string): Record<string, string> {
  if (serverUrl === undefined) return {}
  return { DATABASE_URL: serverUrl, RESCIND_DATABASE_SCHEMA: schemaOf(dataDir), RESCIND_DATABASE_POOL_SIZE: '4' }
}

/** Opens the storage of services of which none runs. */
export function openStorage(dataDir: string): Promise<Storage> {
  if (serverUrl === undefined) return openSqlite({ dataDir, clock: clocks })
  return openPostgres(
    { url: serverUrl, schema: schemaOf(dataDir), poolSize: 1, listen: false },
    { clocks, timers, onTrouble: () => {} },
  )
}

/** Runs queries on what is stored, all at one moment, by other means than the service's own. None that uses the folder runs. */
export async function readStored(
  dataDir: string,
  ...queries: readonly string[]
): Promise<readonly (readonly Record<string, unknown>[])[]> {
  return serverUrl === undefined ? readFolder(dataDir, queries) : readSchema(serverUrl, schemaOf(dataDir), queries)
}

/** The files are copied first: recovering a killed database is left to the next start. */
function readFolder(dataDir: string, queries: readonly string[]) {
  const copy = mkdtempSync(join(tmpdir(), 'rescind-copy-'))
  try {
    cpSync(dataDir, copy, { recursive: true })
    const db = new DatabaseSync(join(copy, 'rescind.db'))
    try {
      const [integrity] = db.prepare('PRAGMA integrity_check').all()
      if (integrity?.integrity_check !== 'ok') throw new Error(`The database is damaged: ${JSON.stringify(integrity)}`)
      return queries.map((query) => db.prepare(query).all())
    } finally {
      db.close()
    }
  } finally {
    rmSync(copy, { recursive: true })
  }
}

async function readSchema(url: string, schema: string, queries: readonly string[]) {
  const client = new Client({
    connectionString: url,
    options: `-c search_path=${schema}`,
    types: { getTypeParser: (oid: number) => (oid === types.builtins.INT8 ? Number : types.getTypeParser(oid)) },
  })
  await client.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const results: Record<string, unknown>[][] = []
    for (const query of queries) results.push((await client.query(query)).rows)
    return results
  } finally {
    await client.end()
  }
}

async function dropSchemas(): Promise<void> {
  const client = new Client(serverUrl)
  await client.connect()
  for (const schema of usedSchemas) await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`)
  await client.end()
}
