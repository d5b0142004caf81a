import { type Entry, type EntryBody, genesis, nextEntry } from '@rescind/protocol'
import type {
  AuditEvent,
  BulkTarget,
  Business,
  Installation,
  Member,
  NewToken,
  Revocation,
  SigningKeyRecord,
} from '../records.ts'
import type { Transaction } from '../storage.ts'
import { encodeAuditEvent, insertAuditEvent } from './audit-events.ts'
import { encodeBulkRevocation, insertBulkRevocation } from './bulk-revocations.ts'
import { nextIdx, skipIdxs, takeIdx } from './idx-counter.ts'
import { encodeInstallation, insertHead, insertInstallation } from './installation.ts'
import { encodeBusiness, encodeMember, removeMember, saveBusiness, saveMember } from './members.ts'
import { encodeEntry, insertEntry } from './revocation-log.ts'
import { encodeKey, insertSigningKey, retireSigningKey } from './signing-keys.ts'
import { SqlReads } from './sql-reads.ts'
import type { Execute, Run } from './statement.ts'
import type { TokenLists } from './token-lists.ts'
import { encodeToken } from './token-row.ts'
import { insertToken, markRevoked, recordUse } from './tokens.ts'

/**
 * Everything that one unit may do, one statement after the other. It is alone: the backend sees to it that no two units
 * run at the same time, in this process or another.
 */
export class SqlTransaction extends SqlReads implements Transaction {
  readonly #execute: Execute
  readonly #appended: Entry[]

  /** @param appended gets what the unit appends to the log */
  constructor(run: Run, execute: Execute, lists: TokenLists, appended: Entry[]) {
    super(run, lists)
    this.#execute = execute
    this.#appended = appended
  }

  /** Nothing to lock: units run one after the other. */
  async lockHolder(): Promise<void> {}
  /** Nothing to lock: units run one after the other. */
  async lockTarget(): Promise<void> {}

  takeIdx(): Promise<number> {
    return this.run(takeIdx, {})
  }
  nextIdx(): Promise<number> {
    return this.run(nextIdx, {})
  }
  async skipIdxs(count: number): Promise<void> {
    await this.#execute(skipIdxs, { count })
  }

  async createInstallation(installation: Installation): Promise<void> {
    await this.#execute(insertInstallation, encodeInstallation(installation))
    const { epoch, seq, hash } = genesis(installation.epoch)
    await this.#execute(insertHead, { id: 1, epoch, seq, hash })
  }
  async insertToken(token: NewToken): Promise<void> {
    await this.#execute(insertToken, encodeToken(token))
  }
  async appendEntry(body: EntryBody, atMs: number): Promise<Entry> {
    const entry = nextEntry(await this.head(), body, atMs)
    await this.#execute(insertEntry, encodeEntry(entry))
    this.#appended.push(entry)
    return entry
  }
  async markRevoked(idx: number, { seq, atMs, by, reason }: Revocation): Promise<void> {
    await this.#execute(markRevoked, { idx, seq, atMs, by, reason })
  }
  async insertBulkRevocation(subject: BulkTarget, beforeIdx: number, revocation: Revocation): Promise<void> {
    await this.#execute(insertBulkRevocation, encodeBulkRevocation(subject, beforeIdx, revocation))
  }
  async recordUsage(usage: ReadonlyMap<number, number>): Promise<void> {
    for (const [idx, atMs] of usage) await this.#execute(recordUse, { idx, atMs })
  }

  async upsertBusiness(business: Business): Promise<void> {
    await this.#execute(saveBusiness, encodeBusiness(business))
  }
  async upsertMember(member: Member): Promise<void> {
    await this.#execute(saveMember, encodeMember(member))
  }
  async deleteMember(businessId: string, userId: string): Promise<void> {
    await this.#execute(removeMember, { businessId, userId })
  }

  async insertSigningKey(key: SigningKeyRecord): Promise<void> {
    await this.#execute(insertSigningKey, encodeKey(key))
  }
  async markKeyRetired(kid: string, atMs: number): Promise<void> {
    await this.#execute(retireSigningKey, { kid, atMs })
  }

  async insertAuditEvent(event: AuditEvent): Promise<void> {
    await this.#execute(insertAuditEvent, encodeAuditEvent(event))
  }
}
