import { type DialectAdapter, DummyDriver, Kysely, type QueryCompiler, SqliteIntrospector } from 'kysely'
import type { Schema } from './schema.ts'

/** Writes SQL against the typed schema. */
export type SqlBuilder = Kysely<Schema>

/** A builder for one dialect. It is connected to nothing: each backend runs the statements itself. */
export function createSqlBuilder(
  createAdapter: () => DialectAdapter,
  createQueryCompiler: () => QueryCompiler,
): SqlBuilder {
  return new Kysely<Schema>({
    dialect: {
      createAdapter,
      createQueryCompiler,
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
    },
  })
}
