import { PostgresAdapter, PostgresQueryCompiler } from 'kysely'
import { createSqlBuilder, type SqlBuilder } from '../sql/sql-builder.ts'
import { TokenLists } from '../sql/token-lists.ts'

/** Writes SQL that names the schema of its tables, so that nothing depends on the search path of a session. */
export function postgresBuilder(schema: string): SqlBuilder {
  return createSqlBuilder(
    () => new PostgresAdapter(),
    () => new PostgresQueryCompiler(),
  ).withSchema(schema)
}

/** PostgreSQL keeps statistics and needs no hints. */
export const tokenLists = new TokenLists({
  living: (db) => db.selectFrom('tokens as token_status') as ReturnType<typeof db.selectFrom<'token_status'>>,
  sortedAside: (column) => column,
})
