import type { Clock } from '@rescind/protocol'
import type { ClientBase, QueryConfig } from 'pg'
import { StorageRefused } from '../storage.ts'
import { inDurableTransaction } from './durable-transaction.ts'
import { tables } from './migrations/0001-tables.ts'
import { guards } from './migrations/0002-guards.ts'
import { nodes } from './migrations/0003-nodes.ts'
import { epochs } from './migrations/0004-epochs.ts'
import type { Migration } from './migrations/migration.ts'

/** For whoever migrates at the same time, and for one step. */
const PATIENCE_MS = 60_000

const MIGRATIONS: readonly Migration[] = [tables, guards, nodes, epochs]

/**
 * Brings the schema up to date, all of it in one transaction. Others that start at the same time wait, and find it done.
 *
 * @throws StorageRefused when the database was written by a newer version: what it added may be what makes a revocation hold.
 */
export async function migrate(
  client: ClientBase,
  schema: string,
  clock: Clock,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  await inDurableTransaction(client, () => migrateWithin(client, schema, clock, migrations))
}

/** As {@link migrate}, in a transaction that has begun. Until it ends, whoever starts on the same schema waits. */
export async function migrateWithin(
  client: ClientBase,
  schema: string,
  clock: Clock,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  // The lock is on the name, since there may be no table yet to lock. Whoever waits for it waits for a few statements.
  await client.query(`SET LOCAL lock_timeout = ${PATIENCE_MS}; SET LOCAL statement_timeout = ${PATIENCE_MS}`)
  await client.query(
    patient(`SELECT pg_advisory_xact_lock(hashtextextended('rescind migrations ' || $1, 0))`, [schema]),
  )
  if (!(await hasMigrations(client, schema))) {
    // Whoever owns the schema need not be allowed to create one.
    const { rowCount } = await client.query('SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema])
    if (rowCount === 0) await client.query(`CREATE SCHEMA "${schema}"`)
    await client.query(
      `CREATE TABLE "${schema}".schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at_ms BIGINT NOT NULL)`,
    )
  }
  const current = await knownVersion(client, schema, migrations)
  // Functions keep this path; nothing else depends on one.
  await client.query(`SET LOCAL search_path TO "${schema}", pg_temp`)
  for (const { version, name, sql } of migrations.slice(current)) {
    await client.query(patient(sql))
    await client.query('INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES ($1, $2, $3)', [
      version,
      name,
      clock.nowMs(),
    ])
  }
}

/**
 * Looks at the tables behind a new connection, if there are any yet: another node may have migrated them.
 *
 * @throws StorageRefused when the database was written by a newer version
 */
export async function checkSchema(client: ClientBase, schema: string): Promise<void> {
  if (await hasMigrations(client, schema)) await knownVersion(client, schema, MIGRATIONS)
}

/** Looks into the catalogue itself: what names resolve to may be remembered from before this transaction waited. */
async function hasMigrations(client: ClientBase, schema: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'schema_migrations'`,
    [schema],
  )
  return rowCount === 1
}

/** @throws StorageRefused when the version of the schema is none of these */
async function knownVersion(client: ClientBase, schema: string, migrations: readonly Migration[]): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    `SELECT coalesce(max(version), 0) AS version FROM "${schema}".schema_migrations`,
  )
  const current = rows[0]?.version ?? 0
  if (current > migrations.length) {
    throw new StorageRefused(
      `The database is of schema version ${current} and this program knows ${migrations.length}; start the newer program that wrote it.`,
    )
  }
  return current
}

/** A query that may take longer than others do. `pg` knows the option, and its types do not. */
function patient(text: string, values: readonly unknown[] = []): QueryConfig & { readonly query_timeout: number } {
  return { text, values: [...values], query_timeout: PATIENCE_MS }
}
