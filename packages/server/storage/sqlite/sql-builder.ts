import { SqliteAdapter, SqliteQueryCompiler, sql } from 'kysely'
import { createSqlBuilder } from '../sql/sql-builder.ts'
import { type PlannerHints, TokenLists } from '../sql/token-lists.ts'

export const sqliteBuilder = createSqlBuilder(
  () => new SqliteAdapter(),
  () => new SqliteQueryCompiler(),
)

/** The engine keeps no statistics, so the index is named; `+` keeps it from walking a whole business in order. */
const HINTS: PlannerHints = {
  living: (db, ofHolder) =>
    db.selectFrom(
      sql
        .table('tokens')
        .as<'token_status'>(sql.raw(ofHolder ? 'token_status INDEXED BY living_tokens_of_holder' : 'token_status')),
    ) as ReturnType<PlannerHints['living']>,
  sortedAside: (column) => sql`+${column}`,
}

export const tokenLists = new TokenLists(HINTS)
