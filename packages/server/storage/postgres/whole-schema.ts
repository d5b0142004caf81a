import type { Clock } from '@rescind/protocol'
import type { PoolClient, QueryConfig } from 'pg'
import { MOVED_TABLES, type MovedRow, type MovedTable, namedRow } from '../sql/moved-tables.ts'
import type { Arguments, Bindable, Run, Statement } from '../sql/statement.ts'
import { StorageRefused } from '../storage.ts'
import type { WholeTransaction } from '../whole-installation.ts'
import type { Connections, DatabaseAddress } from './connections.ts'
import { beginDurable, commitDurably } from './durable-transaction.ts'
import { migrateWithin } from './migrations.ts'
import { connectOrRefuse } from './open-postgres.ts'
import { PreparedStatements } from './prepared-statements.ts'
import { refusal } from './refusal.ts'
import { isServerFault } from './server-fault.ts'
import { encodeText } from './text-values.ts'

/** Rows read at a time. */
const CHUNK = 500

/** So many entries of the log are inserted before its head is made one row again. */
const ENTRIES_AT_A_TIME = 500

/** Limits of time that are meant for the short transactions of a service; those that the server knows. */
const NO_LIMITS = `SELECT set_config(name, '0', true) FROM pg_settings
  WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`

interface WholeSchemaOptions extends DatabaseAddress {
  readonly clock: Clock
}

/**
 * Connects to a database to write all of it in one transaction, the tables themselves included: what is not committed
 * leaves not even a schema behind. Whoever starts on the same schema meanwhile waits.
 *
 * @throws StorageRefused when it cannot be used
 */
export async function openWholeSchema(options: WholeSchemaOptions): Promise<WholeTransaction> {
  const connections = connectOrRefuse(options, () => {})
  let client: PoolClient | undefined
  try {
    client = await connections.patient.connect()
    // A connection that breaks between two statements says so here; the next statement finds it broken.
    client.on('error', () => {})
    await beginDurable(client)
    await migrateWithin(client, options.schema, options.clock)
    await client.query(NO_LIMITS)
    return new WholeSchema(connections, client, options.schema)
  } catch (error) {
    client?.release(true)
    await connections.end()
    throw refusal(error)
  }
}

class WholeSchema implements WholeTransaction {
  readonly #connections: Connections
  readonly #client: PoolClient
  readonly #schema: string
  readonly #statements: PreparedStatements
  #committed = false

  constructor(connections: Connections, client: PoolClient, schema: string) {
    this.#connections = connections
    this.#client = client
    this.#schema = schema
    this.#statements = new PreparedStatements(schema)
  }

  readonly run: Run = <A extends Arguments, Result>(statement: Statement<A, Result>, args: A) =>
    this.#statements.run(this.#client, statement, args)

  async count({ name }: MovedTable): Promise<number> {
    const { rows } = await this.#client.query<{ count: number }>(`SELECT count(*) AS count FROM ${this.#table(name)}`)
    return rows[0]?.count ?? 0
  }

  async *rows({ name, columns, orderBy }: MovedTable): AsyncGenerator<readonly MovedRow[], void, void> {
    const order = orderBy.map((column) => (columns[column] === 'text' ? `${column} COLLATE "C"` : column))
    await this.#client.query(
      `DECLARE moved NO SCROLL CURSOR FOR
        SELECT ${Object.keys(columns).join(', ')} FROM ${this.#table(name)} ORDER BY ${order.join(', ')}`,
    )
    for (;;) {
      const { rows } = await this.#client.query<Bindable[]>({ text: `FETCH ${CHUNK} FROM moved`, rowMode: 'array' })
      yield rows
      if (rows.length < CHUNK) break
    }
    await this.#client.query('CLOSE moved')
  }

  insert(table: MovedTable, rows: readonly MovedRow[]): Promise<void> {
    if (table.name === 'revocation_log') return this.#append(table, rows)
    const names = Object.keys(table.columns).filter((column) => !table.later.includes(column))
    return this.#write(
      `INSERT INTO ${this.#table(table.name)} (${names.join(', ')}) SELECT ${names.join(', ')} FROM ${this.#given(table)}`,
      table,
      rows,
    )
  }

  complete(table: MovedTable, rows: readonly MovedRow[]): Promise<void> {
    const [key] = Object.keys(table.columns)
    return this.#write(
      `UPDATE ${this.#table(table.name)} AS stored SET ${table.later.map((column) => `${column} = given.${column}`).join(', ')}
        FROM ${this.#given(table)} AS given WHERE stored.${key} = given.${key}`,
      table,
      rows,
    )
  }

  async commit(): Promise<void> {
    for (const { name } of MOVED_TABLES) await this.#client.query(`ANALYZE ${this.#table(name)}`)
    try {
      await commitDurably(this.#client)
    } catch (cause) {
      throw new StorageRefused(
        'The database server did not confirm that the import is durable. Look whether the service starts on it with its tokens; if it does not, import again.',
        { cause },
      )
    }
    this.#committed = true
  }

  async close(): Promise<void> {
    // Without its connection a transaction is over.
    this.#client.release(!this.#committed)
    await this.#connections.end()
  }

  /**
   * One entry after the other: each moves the head, and must find the one before there. What a transaction has replaced
   * itself stays in the table until it ends, so the head is written anew now and then: otherwise each entry would
   * have to look past all those before it.
   */
  async #append(table: MovedTable, rows: readonly MovedRow[]): Promise<void> {
    const names = Object.keys(table.columns)
    const text = `INSERT INTO ${this.#table(table.name)} (${names.join(', ')})
      VALUES (${names.map((_, at) => `$${at + 1}`).join(', ')})`
    for (let from = 0; from < rows.length; from += ENTRIES_AT_A_TIME) {
      const some = rows.slice(from, from + ENTRIES_AT_A_TIME)
      await Promise.all(some.map((values) => this.#ask({ name: 'rescind_append', text, values: [...values] })))
      await this.#client.query(`ALTER TABLE ${this.#table('log_head')} ALTER COLUMN hash TYPE TEXT USING hash || ''`)
    }
  }

  async #write(text: string, table: MovedTable, rows: readonly MovedRow[]): Promise<void> {
    const records = rows.map((row) =>
      Object.fromEntries(Object.entries(namedRow(table, row)).map(([column, value]) => [column, encodeJson(value)])),
    )
    await this.#ask({ text, values: [JSON.stringify(records)] })
  }

  async #ask(query: QueryConfig): Promise<void> {
    try {
      await this.#client.query(query)
    } catch (error) {
      if (isServerFault(error) || !(error instanceof Error)) throw refusal(error)
      throw new StorageRefused(`The database refuses what the file holds: ${error.message}.`, { cause: error })
    }
  }

  /** The rows that are sent along as JSON. */
  #given({ name }: MovedTable): string {
    return `json_populate_recordset(NULL::${this.#table(name)}, $1::json)`
  }

  #table(name: string): string {
    return `"${this.#schema}".${name}`
  }
}

/** As the type of its column reads it from JSON. */
function encodeJson(value: Bindable): string | number | null {
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  return typeof value === 'string' ? encodeText(value) : value
}
