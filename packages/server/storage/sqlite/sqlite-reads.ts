import type { Standing } from '../records.ts'
import { SqlReads } from '../sql/sql-reads.ts'
import { standingByIdx } from '../sql/standing.ts'
import type { PreparedStatements } from './prepared-statements.ts'
import type { RememberedStandings } from './remembered-standings.ts'
import { tokenLists } from './sql-builder.ts'

/** Runs a synchronous step when the connection shows committed rows only. */
type RunStep = <T>(step: () => T) => Promise<T>

/** Reads of what is committed. */
export class SqliteReads extends SqlReads {
  readonly #statements: PreparedStatements
  readonly #standings: RememberedStandings
  readonly #runStep: RunStep

  constructor(statements: PreparedStatements, standings: RememberedStandings, runStep: RunStep) {
    super((statement, args) => runStep(() => statements.run(statement, args)), tokenLists)
    this.#statements = statements
    this.#standings = standings
    this.#runStep = runStep
  }

  override standing(idx: number): Promise<Standing | undefined> {
    if (this.#standings.has(idx)) return Promise.resolve(this.#standings.get(idx))
    return this.#runStep(() => {
      const standing = this.#statements.run(standingByIdx, { idx })
      this.#standings.remember(idx, standing)
      return standing
    })
  }
}
