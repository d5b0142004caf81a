import type { ClientBase, Pool } from 'pg'
import type { SqlBuilder } from '../sql/sql-builder.ts'
import {
  type Arguments,
  type Bindable,
  type CompiledStatement,
  compileStatement,
  type Statement,
} from '../sql/statement.ts'
import { postgresBuilder } from './sql-builder.ts'
import { encodeText } from './text-values.ts'

interface Prepared extends CompiledStatement {
  /** Under which each connection prepares it, once. */
  readonly name: string
}

/** Runs statements on whichever connection. Each is compiled once. */
export class PreparedStatements {
  readonly #builder: SqlBuilder
  readonly #prepared = new Map<Statement<never, unknown>, Prepared>()

  /** Where the tables are. */
  readonly schema: string

  constructor(schema: string) {
    this.schema = schema
    this.#builder = postgresBuilder(schema)
  }

  async run<A extends Arguments, Result>(
    client: ClientBase | Pool,
    statement: Statement<A, Result>,
    args: A,
  ): Promise<Result> {
    const { name, text, bind } = this.#prepared.get(statement) ?? this.#prepare(statement)
    const { rows, rowCount } = await client.query({ name, text, values: bind(args).map(encodeValue) })
    return statement.result(rows, rowCount ?? 0)
  }

  #prepare<A extends Arguments, Result>(statement: Statement<A, Result>): Prepared {
    const prepared = { ...compileStatement(this.#builder, statement), name: `rescind_${this.#prepared.size}` }
    this.#prepared.set(statement, prepared)
    return prepared
  }
}

function encodeValue(value: Bindable): Bindable {
  return typeof value === 'string' ? encodeText(value) : value
}
