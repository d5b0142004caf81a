import type { Table } from './table.ts'

/** What one run of the bench has to say. */
export interface Report {
  readonly tables: readonly { readonly title?: string; readonly table: Table }[]
  readonly notes: readonly string[]
  /** Bars that were not reached. */
  readonly missed: number
}
