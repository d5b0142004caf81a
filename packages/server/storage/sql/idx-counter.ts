import type { SqlBuilder } from './sql-builder.ts'
import { change, command, type NoArguments, type Statement } from './statement.ts'

/** The counter that every `idx` comes from: what the next token will get. */
export const nextIdx = counter((db) => db.selectFrom('idx_counter').select('next_idx as idx'))

export const takeIdx = counter((db) =>
  db
    .updateTable('idx_counter')
    .set(({ eb, lit }) => ({ next_idx: eb('next_idx', '+', lit(1)) }))
    .returning(({ eb, lit }) => eb('next_idx', '-', lit(1)).as('idx')),
)

/** What is skipped is never given out. */
export const skipIdxs = command<{ count: number }>((db, args) =>
  db.updateTable('idx_counter').set(({ eb }) => ({ next_idx: eb('next_idx', '+', args.count) })),
)

/** Refused by the database when it would go backwards. */
export const setNextIdx = change<{ nextIdx: number }>('index counter', (db, args) =>
  db.updateTable('idx_counter').set({ next_idx: args.nextIdx }),
)

function counter(
  build: (db: SqlBuilder) => ReturnType<Statement<NoArguments, number>['build']>,
): Statement<NoArguments, number> {
  return {
    build,
    result([row]) {
      if (row === undefined) throw new Error('The index counter is missing from the database.')
      return (row as { readonly idx: number }).idx
    },
  }
}
