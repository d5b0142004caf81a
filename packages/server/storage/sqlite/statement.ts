import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { type Compilable, type RawBuilder, sql } from 'kysely'

type Arguments = { readonly [name: string]: SQLInputValue }

/** Stands in a query for each argument, under its name. */
export type Placeholders<A> = { readonly [K in keyof A]: RawBuilder<A[K]> }

/** A query or command that was compiled and prepared once and is run with arguments by name, synchronously. */
export interface Query<A, Row> {
  get(args: A): Row | undefined
  all(args: A): Row[]
  iterate(args: A): Iterable<Row>
}

export interface Command<A> {
  /** Runs the command; tells how many rows it changed. */
  run(args: A): number
}

/** Prepares a statement that returns rows. */
export function prepareQuery<A extends Arguments, Row>(
  db: DatabaseSync,
  build: (args: Placeholders<A>) => Compilable<Row>,
): Query<A, Row> {
  const { statement, bind } = prepare(db, build)
  if (statement.columns().length === 0) throw new TypeError('The statement returns no rows; prepare it as a command.')
  return {
    get: (args) => statement.get(...bind(args)) as Row | undefined,
    all: (args) => statement.all(...bind(args)) as Row[],
    iterate: (args) => statement.iterate(...bind(args)) as Iterable<Row>,
  }
}

/** Prepares a statement that returns no rows. */
export function prepareCommand<A extends Arguments>(
  db: DatabaseSync,
  build: (args: Placeholders<A>) => Compilable,
): Command<A> {
  const { statement, bind } = prepare(db, build)
  if (statement.columns().length > 0) throw new TypeError('The statement returns rows; prepare it as a query.')
  return { run: (args) => Number(statement.run(...bind(args)).changes) }
}

class Placeholder {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

function prepare<A extends Arguments>(
  db: DatabaseSync,
  build: (args: Placeholders<A>) => Compilable,
): { statement: StatementSync; bind: (args: A) => SQLInputValue[] } {
  const placeholders = new Proxy({} as Placeholders<A>, { get: (_, name) => sql`${new Placeholder(String(name))}` })
  const compiled = build(placeholders).compile()
  const order = compiled.parameters.map((parameter) => {
    if (parameter instanceof Placeholder) return parameter.name
    throw new TypeError('Every value of a prepared statement is a placeholder or a literal of the SQL text.')
  })
  return { statement: db.prepare(compiled.sql), bind: (args) => order.map((name) => args[name] as SQLInputValue) }
}
