import { type Compilable, type RawBuilder, sql } from 'kysely'
import type { SqlBuilder } from './sql-builder.ts'

/** What a parameter may be. */
export type Bindable = string | number | Uint8Array | null

export type Arguments = { readonly [name: string]: Bindable }

export type NoArguments = Record<never, never>

/** Stands in a statement for each argument, under its name. */
export type Placeholders<A> = { readonly [K in keyof A]: RawBuilder<A[K]> }

/** One statement, whichever database runs it: written once, compiled by each backend for itself, run with arguments by name. */
export interface Statement<A extends Arguments, Result> {
  readonly build: (db: SqlBuilder, args: Placeholders<A>) => Compilable
  /** What comes of it. @param changed how many rows a command changed */
  readonly result: (rows: readonly unknown[], changed: number) => Result
}

/** Runs a statement. */
export type Run = <A extends Arguments, Result>(statement: Statement<A, Result>, args: A) => Promise<Result>

/** Runs a statement whose result nobody needs, at once or in its turn; whoever goes on may hear later that it was refused. */
export type Execute = <A extends Arguments>(statement: Statement<A, unknown>, args: A) => Promise<void>

type Build<A extends Arguments, Row> = (db: SqlBuilder, args: Placeholders<A>) => Compilable<Row>

/** A query of which one row is wanted. */
export function one<A extends Arguments, Row, Result>(
  build: Build<A, Row>,
  decode: (row: Row) => Result,
): Statement<A, Result | undefined> {
  return { build, result: ([row]) => (row === undefined ? undefined : decode(row as Row)) }
}

/** A query of which every row is wanted. */
export function all<A extends Arguments, Row, Result>(
  build: Build<A, Row>,
  decode: (row: Row) => Result,
): Statement<A, Result[]> {
  return { build, result: (rows) => rows.map((row) => decode(row as Row)) }
}

/** A statement that returns no rows; it results in the number of those it changed. */
export function command<A extends Arguments>(build: Build<A, unknown>): Statement<A, number> {
  return { build, result: (_rows, changed) => changed }
}

/** The database did what a statement asked for, and what came of it cannot be: a row is missing, or cannot be read. */
export class UnexpectedResult extends Error {}

/** As {@link command}, of a row that must be there. @throws UnexpectedResult from its result */
export function change<A extends Arguments>(what: string, build: Build<A, unknown>): Statement<A, number> {
  return {
    build,
    result(_rows, changed) {
      if (changed !== 1) throw new UnexpectedResult(`There is no ${what} to be changed.`)
      return changed
    },
  }
}

/** A statement as one dialect writes it. */
export interface CompiledStatement {
  readonly text: string
  /** The parameters in their order. */
  readonly bind: (args: Arguments) => Bindable[]
}

class Placeholder {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** @throws TypeError when a value is neither a placeholder nor part of the text: it could not be run twice */
export function compileStatement<A extends Arguments>(
  db: SqlBuilder,
  { build }: Pick<Statement<A, unknown>, 'build'>,
): CompiledStatement {
  const placeholders = new Proxy({} as Placeholders<A>, { get: (_, name) => sql`${new Placeholder(String(name))}` })
  const compiled = build(db, placeholders).compile()
  const order = compiled.parameters.map((parameter) => {
    if (parameter instanceof Placeholder) return parameter.name
    throw new TypeError('Every value of a prepared statement is a placeholder or a literal of the SQL text.')
  })
  return { text: compiled.sql, bind: (args) => order.map((name) => args[name] as Bindable) }
}
