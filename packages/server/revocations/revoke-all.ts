import type { Clock, EntryBody } from '@rescind/protocol'
import type { AuditAction, BulkSubject, Revocation, Transaction } from '../storage/storage.ts'
import type { Refused, Write } from '../storage/write.ts'
import type { Enforcement } from './enforcement.ts'

export type TenantSubject = Exclude<BulkSubject, { kind: 'key' }>

export interface RevokeAllRequest {
  readonly subject: TenantSubject
  /** Email the revocation is attributed to. */
  readonly by: string
  readonly reason: string | null
}

export type RevokeAllOutcome = { readonly revocation: Revocation } | Refused

const AUDITED: Record<TenantSubject['kind'], AuditAction> = { business: 'business.revoked', member: 'member.revoked' }

/**
 * Revokes every token that a business or a member holds at this moment, with one entry. Tokens issued later are not
 * covered. Resolves when the revocation is in force everywhere.
 */
export async function revokeAll(
  deps: { readonly clock: Clock; readonly enforcement: Enforcement },
  write: Write,
  { subject, by, reason }: RevokeAllRequest,
): Promise<RevokeAllOutcome> {
  const outcome = await write<RevokeAllOutcome>(async (tx, audit) => {
    if ((await tx.business(subject.businessId)) === undefined) return { refused: 'business_not_found' }
    if (subject.kind === 'member' && (await tx.member(subject.businessId, subject.userId)) === undefined) {
      return { refused: 'member_not_found' }
    }
    const revocation = await endAllTokens(tx, subject, { atMs: deps.clock.nowMs(), by, reason })
    await audit(AUDITED[subject.kind], {
      businessId: subject.businessId,
      id: subject.kind === 'member' ? subject.userId : subject.businessId,
    })
    return { revocation }
  })
  if ('revocation' in outcome) await deps.enforcement.inForce(outcome.revocation.seq)
  return outcome
}

/**
 * Ends every token of `subject` issued so far. The lock comes before the counter is read: a token that is being issued
 * at this moment either has its index already and is covered, or gets it after this transaction and is not.
 */
export async function endAllTokens(
  tx: Transaction,
  subject: BulkSubject,
  cause: Omit<Revocation, 'seq'>,
): Promise<Revocation> {
  await tx.lockSubject(subject)
  const beforeIdx = await tx.nextIdx()
  const entry = await tx.appendEntry(entryBody(subject, beforeIdx), cause.atMs)
  const revocation = { seq: entry.seq, ...cause }
  await tx.insertBulkRevocation(subject, beforeIdx, revocation)
  return revocation
}

function entryBody(subject: BulkSubject, beforeIdx: number): EntryBody {
  switch (subject.kind) {
    case 'business':
      return { kind: 'business_revoked', businessId: subject.businessId, beforeIdx }
    case 'member':
      return { kind: 'member_revoked', businessId: subject.businessId, userId: subject.userId, beforeIdx }
    case 'key':
      return { kind: 'key_retired', kid: subject.kid }
  }
}
