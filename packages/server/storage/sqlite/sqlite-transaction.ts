import type { Entry, EntryBody } from '@rescind/protocol'
import type {
  AuditEvent,
  BulkTarget,
  Business,
  Installation,
  Member,
  NewToken,
  Revocation,
  SigningKeyRecord,
  Standing,
} from '../records.ts'
import type { Transaction } from '../storage.ts'
import type { RememberedStandings } from './remembered-standings.ts'
import { SqliteReads } from './sqlite-reads.ts'
import type { Statements } from './statements.ts'
import type { UnitScope } from './unit-scope.ts'

/** What one unit may do, until its scope ends. */
export class SqliteTransaction extends SqliteReads implements Transaction {
  readonly #statements: Statements
  readonly #scope: UnitScope

  constructor(statements: Statements, standings: RememberedStandings, scope: UnitScope) {
    super(statements, standings, (step) => scope.run(step))
    this.#statements = statements
    this.#scope = scope
  }

  /** Nothing to lock: units run one after the other. */
  async lockHolder(): Promise<void> {}
  /** Nothing to lock: units run one after the other. */
  async lockTarget(): Promise<void> {}

  /** Remembers nothing: what it reads may not be committed. */
  override standing(idx: number): Promise<Standing | undefined> {
    return this.#scope.run(() => (this.standings.has(idx) ? this.standings.get(idx) : this.#statements.standing(idx)))
  }

  takeIdx(): Promise<number> {
    return this.#scope.run(() => this.#statements.takeIdx())
  }
  nextIdx(): Promise<number> {
    return this.#scope.run(() => this.#statements.nextIdx())
  }

  createInstallation(installation: Installation): Promise<void> {
    this.standings.forgetAll()
    return this.#scope.run(() => this.#statements.createInstallation(installation))
  }
  insertToken(token: NewToken): Promise<void> {
    this.standings.forget(token.idx)
    return this.#scope.run(() => this.#statements.insertToken(token))
  }
  appendEntry(body: EntryBody, atMs: number): Promise<Entry> {
    return this.#scope.run(() => {
      const entry = this.#statements.appendEntry(body, atMs)
      this.#scope.entries.push(entry)
      return entry
    })
  }
  markRevoked(idx: number, revocation: Revocation): Promise<void> {
    this.standings.forget(idx)
    return this.#scope.run(() => this.#statements.markRevoked(idx, revocation))
  }
  insertBulkRevocation(subject: BulkTarget, beforeIdx: number, revocation: Revocation): Promise<void> {
    this.standings.forgetAll()
    return this.#scope.run(() => this.#statements.insertBulkRevocation(subject, beforeIdx, revocation))
  }
  recordUsage(usage: ReadonlyMap<number, number>): Promise<void> {
    return this.#scope.run(() => this.#statements.recordUsage(usage))
  }

  upsertBusiness(business: Business): Promise<void> {
    return this.#scope.run(() => this.#statements.upsertBusiness(business))
  }
  upsertMember(member: Member): Promise<void> {
    this.standings.forgetAll()
    return this.#scope.run(() => this.#statements.upsertMember(member))
  }
  deleteMember(businessId: string, userId: string): Promise<void> {
    this.standings.forgetAll()
    return this.#scope.run(() => this.#statements.deleteMember(businessId, userId))
  }

  insertSigningKey(key: SigningKeyRecord): Promise<void> {
    return this.#scope.run(() => this.#statements.insertSigningKey(key))
  }
  markKeyRetired(kid: string, atMs: number): Promise<void> {
    return this.#scope.run(() => this.#statements.markKeyRetired(kid, atMs))
  }

  insertAuditEvent(event: AuditEvent): Promise<void> {
    return this.#scope.run(() => this.#statements.insertAuditEvent(event))
  }
}
