import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Entry } from '@rescind/protocol'
import { entriesAfter } from '../sql/revocation-log.ts'
import { type Arguments, type CompiledStatement, compileStatement, type Statement } from '../sql/statement.ts'
import { sqliteBuilder } from './sql-builder.ts'

interface Prepared extends CompiledStatement {
  readonly statement: StatementSync
  readonly returnsRows: boolean
}

/** Entries read at a time. */
const CHUNK = 1000

/** Runs statements on one connection, synchronously. Each is prepared when it is first run. */
export class PreparedStatements {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<Statement<never, unknown>, Prepared>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  run<A extends Arguments, Result>(statement: Statement<A, Result>, args: A): Result {
    const prepared = this.#prepared.get(statement) ?? this.#prepare(statement)
    const values = prepared.bind(args)
    if (prepared.returnsRows) return statement.result(prepared.statement.all(...values), 0)
    return statement.result([], Number(prepared.statement.run(...values).changes))
  }

  /** Every entry after `seq`, in order, in chunks that are read as they are asked for. */
  *entriesAfter(seq: number): Generator<readonly Entry[], void, void> {
    let after = seq
    for (;;) {
      const chunk = this.run(entriesAfter, { seq: after, limit: CHUNK })
      if (chunk.length > 0) yield chunk
      if (chunk.length < CHUNK) return
      after = chunk.at(-1)?.seq ?? after
    }
  }

  #prepare<A extends Arguments, Result>(definition: Statement<A, Result>): Prepared {
    const { text, bind } = compileStatement(sqliteBuilder, definition)
    const statement = this.#db.prepare(text)
    const prepared = { text, bind, statement, returnsRows: statement.columns().length > 0 }
    this.#prepared.set(definition, prepared)
    return prepared
  }
}
