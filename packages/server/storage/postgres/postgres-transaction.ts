import { type Entry, type EntryBody, type Position, positionAfter } from '@rescind/protocol'
import type { ClientBase } from 'pg'
import { SqlTransaction } from '../sql/sql-transaction.ts'
import type { Execute, Run } from '../sql/statement.ts'
import type { PreparedStatements } from './prepared-statements.ts'
import { tokenLists } from './sql-builder.ts'
import type { UnitScope } from './unit-scope.ts'

/** What one unit may do, until its scope ends. The head of the log is locked, so it is known without asking. */
export class PostgresTransaction extends SqlTransaction {
  readonly #scope: UnitScope
  readonly #client: ClientBase
  readonly #schema: string
  #head: Position | undefined

  constructor(
    statements: PreparedStatements,
    client: ClientBase,
    scope: UnitScope,
    appended: Entry[],
    head: Position | undefined,
  ) {
    const run: Run = (statement, args) => scope.run(() => statements.run(client, statement, args))
    const execute: Execute = async (statement, args) => scope.start(() => statements.run(client, statement, args))
    super(run, execute, tokenLists, appended)
    this.#scope = scope
    this.#client = client
    this.#schema = statements.schema
    this.#head = head
  }

  /** The head after what this unit has appended; `undefined` when there was no installation yet. */
  get knownHead(): Position | undefined {
    return this.#head
  }

  override async head(): Promise<Position> {
    return this.#head ?? super.head()
  }

  override async appendEntry(body: EntryBody, atMs: number): Promise<Entry> {
    const before = await this.head()
    const entry = await super.appendEntry(body, atMs)
    this.#head = positionAfter(before, entry)
    return entry
  }

  /** In one statement: meanwhile nobody else writes. */
  override async recordUsage(usage: ReadonlyMap<number, number>): Promise<void> {
    const text = `UPDATE "${this.#schema}".tokens AS token SET last_used_at_ms = used.at_ms
      FROM unnest($1::bigint[], $2::bigint[]) AS used (idx, at_ms)
      WHERE token.idx = used.idx AND (token.last_used_at_ms IS NULL OR token.last_used_at_ms < used.at_ms)`
    const values = [[...usage.keys()], [...usage.values()]]
    this.#scope.start(() => this.#client.query({ name: 'rescind_record_usage', text, values }))
  }
}
