import type { DatabaseSync } from 'node:sqlite'
import { sqlBuilder } from './sql-builder.ts'
import { prepareQuery } from './statement.ts'

/** The counter that every `idx` comes from. */
export function idxCounterStatements(db: DatabaseSync) {
  const next = prepareQuery(db, () => sqlBuilder.selectFrom('idx_counter').select('next_idx'))
  const take = prepareQuery(db, () =>
    sqlBuilder
      .updateTable('idx_counter')
      .set(({ eb, lit }) => ({ next_idx: eb('next_idx', '+', lit(1)) }))
      .returning(({ eb, lit }) => eb('next_idx', '-', lit(1)).as('idx')),
  )

  return {
    takeIdx: (): number => taken(take.get({})?.idx),
    nextIdx: (): number => taken(next.get({})?.next_idx),
  }
}

function taken(idx: number | undefined): number {
  if (idx === undefined) throw new Error('The index counter is missing from the database.')
  return idx
}
