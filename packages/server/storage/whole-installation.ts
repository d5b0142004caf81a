import type { MovedRow, MovedTable } from './sql/moved-tables.ts'
import type { Run } from './sql/statement.ts'

/** Everything that an installation consists of, table by table, in one transaction. */
export interface WholeInstallation {
  readonly run: Run
  count(table: MovedTable): Promise<number>
  /** All rows in the order of the table, some at a time. */
  rows(table: MovedTable): AsyncIterable<readonly MovedRow[]>
  /** Adds rows without the columns that come later; of the log, each continues the one before. @throws StorageRefused for what the guards refuse */
  insert(table: MovedTable, rows: readonly MovedRow[]): Promise<void>
  /** Sets the columns that come later in rows that were inserted. @throws StorageRefused for what the guards refuse */
  complete(table: MovedTable, rows: readonly MovedRow[]): Promise<void>
}

/** The transaction; nobody else writes meanwhile. */
export interface WholeTransaction extends WholeInstallation {
  /** @throws when it is not known to be durable */
  commit(): Promise<void>
  /** Undoes what was not committed, and lets go of the database. */
  close(): Promise<void>
}

/** One at the end of which the database can be closed to writes for good. */
export interface FenceableTransaction extends WholeTransaction {
  readonly schemaVersion: number
  /** Takes effect with the commit. */
  fence(fence: Fence): void
}

/** When and where to an installation was exported. */
export interface Fence {
  readonly atMs: number
  /** Absolute path. */
  readonly file: string
  readonly sha256: string
}
