import type { BulkTarget, Installation, Member, NewToken, Revocation, Standing } from '../records.ts'
import { SqlTransaction } from '../sql/sql-transaction.ts'
import type { Execute, Run } from '../sql/statement.ts'
import type { PreparedStatements } from './prepared-statements.ts'
import type { RememberedStandings } from './remembered-standings.ts'
import { tokenLists } from './sql-builder.ts'
import type { UnitScope } from './unit-scope.ts'

/** What one unit may do, until its scope ends. Makes forgotten what it is about to change. */
export class SqliteTransaction extends SqlTransaction {
  readonly #standings: RememberedStandings

  constructor(statements: PreparedStatements, standings: RememberedStandings, scope: UnitScope) {
    const run: Run = (statement, args) => scope.run(() => statements.run(statement, args))
    const execute: Execute = async (statement, args) => void (await run(statement, args))
    super(run, execute, tokenLists, scope.entries)
    this.#standings = standings
  }

  /** Remembers nothing: what it reads may not be committed. */
  override standing(idx: number): Promise<Standing | undefined> {
    return this.#standings.has(idx) ? Promise.resolve(this.#standings.get(idx)) : super.standing(idx)
  }

  override createInstallation(installation: Installation): Promise<void> {
    this.#standings.forgetAll()
    return super.createInstallation(installation)
  }
  override insertToken(token: NewToken): Promise<void> {
    this.#standings.forget(token.idx)
    return super.insertToken(token)
  }
  override markRevoked(idx: number, revocation: Revocation): Promise<void> {
    this.#standings.forget(idx)
    return super.markRevoked(idx, revocation)
  }
  override insertBulkRevocation(subject: BulkTarget, beforeIdx: number, revocation: Revocation): Promise<void> {
    this.#standings.forgetAll()
    return super.insertBulkRevocation(subject, beforeIdx, revocation)
  }
  override upsertMember(member: Member): Promise<void> {
    this.#standings.forgetAll()
    return super.upsertMember(member)
  }
  override deleteMember(businessId: string, userId: string): Promise<void> {
    this.#standings.forgetAll()
    return super.deleteMember(businessId, userId)
  }
}
