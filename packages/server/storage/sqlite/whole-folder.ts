import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Clock } from '@rescind/protocol'
import type { MovedRow, MovedTable } from '../sql/moved-tables.ts'
import type { Arguments, Run, Statement } from '../sql/statement.ts'
import { StorageRefused } from '../storage.ts'
import type { Fence, FenceableTransaction } from '../whole-installation.ts'
import { isEngineFault } from './engine-fault.ts'
import { raiseFence } from './fence.ts'
import { type OpenedFolder, openFolder } from './open-folder.ts'
import { refusal } from './refusal.ts'

/** Rows read at a time. */
const CHUNK = 500

/**
 * Opens the database in a folder to read or write all of it in one transaction.
 *
 * @throws StorageRefused when it cannot be used; see {@link openFolder}
 */
export async function openWholeFolder(options: {
  readonly dataDir: string
  readonly clock: Clock
}): Promise<FenceableTransaction> {
  return new WholeFolder(await openFolder(options))
}

class WholeFolder implements FenceableTransaction {
  readonly #folder: OpenedFolder
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()
  readonly schemaVersion: number

  constructor(folder: OpenedFolder) {
    this.#folder = folder
    this.#db = folder.db
    this.schemaVersion = Number(
      this.#db.prepare('SELECT max(version) AS version FROM schema_migrations').get()?.version,
    )
    this.#db.exec('BEGIN IMMEDIATE')
  }

  readonly run: Run = async <A extends Arguments, Result>(statement: Statement<A, Result>, args: A) =>
    this.#folder.statements.run(statement, args)

  async count({ name }: MovedTable): Promise<number> {
    return Number(this.#db.prepare(`SELECT count(*) AS count FROM ${name}`).get()?.count)
  }

  async *rows({ name, columns, orderBy }: MovedTable): AsyncGenerator<readonly MovedRow[], void, void> {
    const text = `SELECT ${Object.keys(columns).join(', ')} FROM ${name} ORDER BY ${orderBy.join(', ')}`
    const statement = this.#db.prepare(text)
    statement.setReturnArrays(true)
    let rows: MovedRow[] = []
    for (const row of statement.iterate() as Iterable<unknown>) {
      rows.push(row as MovedRow)
      if (rows.length < CHUNK) continue
      yield rows
      rows = []
    }
    yield rows
  }

  async insert({ name, columns, later }: MovedTable, rows: readonly MovedRow[]): Promise<void> {
    const all = Object.keys(columns)
    const places = all.flatMap((column, at) => (later.includes(column) ? [] : [at]))
    const statement = this.#prepare(
      `INSERT INTO ${name} (${places.map((at) => all[at]).join(', ')}) VALUES (${places.map(() => '?').join(', ')})`,
    )
    this.#runAll(statement, places, rows)
  }

  async complete({ name, columns, later }: MovedTable, rows: readonly MovedRow[]): Promise<void> {
    const all = Object.keys(columns)
    const places = [...later.map((column) => all.indexOf(column)), 0]
    const statement = this.#prepare(
      `UPDATE ${name} SET ${later.map((column) => `${column} = ?`).join(', ')} WHERE ${all[0]} = ?`,
    )
    this.#runAll(statement, places, rows)
  }

  fence(fence: Fence): void {
    raiseFence(this.#db, fence)
  }

  async commit(): Promise<void> {
    this.#db.exec('COMMIT')
  }

  async close(): Promise<void> {
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
    } finally {
      this.#db.close()
      this.#folder.lock.release()
    }
  }

  /** @throws StorageRefused for a row that the guards refuse, or when the disk does not take it */
  #runAll(statement: StatementSync, places: readonly number[], rows: readonly MovedRow[]): void {
    try {
      for (const row of rows) statement.run(...places.map((at) => row[at] ?? null))
    } catch (error) {
      if (isEngineFault(error) || !(error instanceof Error)) throw refusal(error, this.#folder.dataDir)
      throw new StorageRefused(`The database refuses what the file holds: ${error.message}.`, { cause: error })
    }
  }

  #prepare(text: string): StatementSync {
    const statement = this.#prepared.get(text) ?? this.#db.prepare(text)
    this.#prepared.set(text, statement)
    return statement
  }
}
