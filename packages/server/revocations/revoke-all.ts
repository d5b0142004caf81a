import type { Clock, EntryBody, InForce } from '@rescind/protocol'
import type { AuditAction, BulkTarget, Revocation, Transaction } from '../storage/storage.ts'
import type { Refused, Write } from '../storage/write.ts'
import type { Enforcement } from './enforcement.ts'

export type TenantTarget = Exclude<BulkTarget, { kind: 'key' }>

export interface RevokeAllRequest {
  readonly target: TenantTarget
  /** Email the revocation is attributed to. */
  readonly by: string
  readonly reason: string | null
}

export type RevokeAllOutcome = { readonly revocation: Revocation; readonly inForce: InForce } | Refused

const AUDITED: Record<TenantTarget['kind'], AuditAction> = { business: 'business.revoked', member: 'member.revoked' }

/**
 * Revokes every token that a business or a member holds at this moment, with one entry. Tokens issued later are not
 * covered. Resolves when the revocation is in force everywhere.
 */
export async function revokeAll(
  deps: { readonly clock: Clock; readonly enforcement: Enforcement },
  write: Write,
  { target, by, reason }: RevokeAllRequest,
): Promise<RevokeAllOutcome> {
  const outcome = await write<{ readonly revocation: Revocation } | Refused>(async (tx, audit) => {
    if ((await tx.business(target.businessId)) === undefined) return { refused: 'business_not_found' }
    if (target.kind === 'member' && (await tx.member(target.businessId, target.userId)) === undefined) {
      return { refused: 'member_not_found' }
    }
    const revocation = await endAllTokens(tx, target, { atMs: deps.clock.nowMs(), by, reason })
    await audit(AUDITED[target.kind], {
      businessId: target.businessId,
      id: target.kind === 'member' ? target.userId : target.businessId,
    })
    return { revocation }
  })
  if ('refused' in outcome) return outcome
  return { ...outcome, inForce: await deps.enforcement.inForce(outcome.revocation.seq) }
}

/**
 * Ends every token of `target` issued so far. The lock comes before the counter is read: a token that is being issued
 * at this moment either has its index already and is covered, or gets it after this transaction and is not.
 */
export async function endAllTokens(
  tx: Transaction,
  target: BulkTarget,
  cause: Omit<Revocation, 'seq'>,
): Promise<Revocation> {
  await tx.lockTarget(target)
  const beforeIdx = await tx.nextIdx()
  const entry = await tx.appendEntry(entryBody(target, beforeIdx), cause.atMs)
  const revocation = { seq: entry.seq, ...cause }
  await tx.insertBulkRevocation(target, beforeIdx, revocation)
  return revocation
}

function entryBody(target: BulkTarget, beforeIdx: number): EntryBody {
  switch (target.kind) {
    case 'business':
      return { kind: 'business_revoked', businessId: target.businessId, beforeIdx }
    case 'member':
      return { kind: 'member_revoked', businessId: target.businessId, userId: target.userId, beforeIdx }
    case 'key':
      return { kind: 'key_retired', kid: target.kid }
  }
}
