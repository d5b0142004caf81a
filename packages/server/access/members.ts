import type { Clock, InForce } from '@rescind/protocol'
import type { BulkTarget, Member, Revocation, Role, TokenRecord, Transaction } from '../storage/storage.ts'
import type { Refused, Write } from '../storage/write.ts'
import type { Principal } from './principal.ts'
import { roleAllows } from './roles.ts'

export type { Member, Role }

/** How this folder ends tokens without knowing how the log works; see revocations. */
export interface TokenEnder {
  endToken(tx: Transaction, idx: number, cause: Omit<Revocation, 'seq'>): Promise<Revocation>
  endAllTokens(tx: Transaction, subject: BulkTarget, cause: Omit<Revocation, 'seq'>): Promise<Revocation>
  /** Resolves when the entry is in force everywhere. */
  inForce(seq: number): Promise<InForce>
}

interface Deps {
  readonly clock: Clock
  readonly tokens: TokenEnder
}

/** A membership as it is now, or was last. */
export interface MemberChange {
  readonly member: Member
  /** Of everything that was ended until then. */
  readonly inForce: InForce
}

/** A change that is committed, and the entry of the log that it waits for. */
interface Committed {
  readonly member: Member
  readonly seq: number
}

/** There is no such member; whatever ended before is not after this entry. */
interface Gone {
  readonly goneSeq: number
}

/**
 * Adds a member or changes their email and role. A lower role revokes the tokens that carry more than it allows;
 * resolves when those revocations are in force.
 *
 * @param by email the revocations are attributed to
 */
export async function saveMember(
  deps: Deps,
  write: Write,
  principal: Principal,
  by: string,
  wanted: Omit<Member, 'createdAtMs'>,
): Promise<MemberChange | Refused> {
  const outcome = await write<Committed | Refused>(async (tx, audit) => {
    const { businessId, userId, email, role } = wanted
    if ((await tx.business(businessId)) === undefined) return { refused: 'business_not_found' }
    const current = await tx.member(businessId, userId)
    const refused = await ownerRefusal(tx, principal, current, role)
    if (refused) return refused
    const holder = await tx.memberByEmail(businessId, email)
    if (holder !== undefined && holder.userId !== userId) return { refused: 'email_taken' }

    const nowMs = deps.clock.nowMs()
    const member = { businessId, userId, email, role, createdAtMs: current?.createdAtMs ?? nowMs }
    await tx.upsertMember(member)
    await audit('member.saved', { businessId, id: userId })
    // Whoever repeats the request, or puts back a member who was removed, waits for what was ended before.
    let { seq } = await tx.head()
    for (const token of await tokensBeyond(tx, member, nowMs)) {
      const cause = { atMs: nowMs, by, reason: `The role of its holder became ${role}` }
      seq = (await deps.tokens.endToken(tx, token.idx, cause)).seq
      await audit('token.revoked', { businessId, id: token.id })
    }
    return { member, seq }
  })
  return settled(deps, outcome)
}

/**
 * Removes a member and ends every token of theirs. Resolves when that is in force everywhere.
 *
 * @param by email the revocation is attributed to
 */
export async function removeMember(
  deps: Deps,
  write: Write,
  principal: Principal,
  by: string,
  { businessId, userId }: Pick<Member, 'businessId' | 'userId'>,
): Promise<MemberChange | Refused> {
  const outcome = await write<Committed | Gone | Refused>(async (tx, audit) => {
    const member = await tx.member(businessId, userId)
    if (member === undefined) return { goneSeq: (await tx.head()).seq }
    const refused = await ownerRefusal(tx, principal, member, null)
    if (refused) return refused
    const cause = { atMs: deps.clock.nowMs(), by, reason: 'Its holder was removed from the business' }
    const { seq } = await deps.tokens.endAllTokens(tx, { kind: 'member', businessId, userId }, cause)
    await tx.deleteMember(businessId, userId)
    await audit('member.removed', { businessId, id: userId })
    return { member, seq }
  })
  if (!('goneSeq' in outcome)) return settled(deps, outcome)
  // They may have been removed a moment ago, by the same request that was not answered.
  await deps.tokens.inForce(outcome.goneSeq)
  return { refused: 'member_not_found' }
}

/** Owners are changed and appointed by owners and operators only, and no owner removes the last one. */
async function ownerRefusal(
  tx: Transaction,
  principal: Principal,
  current: Member | undefined,
  nextRole: Role | null,
): Promise<Refused | undefined> {
  if (principal.kind === 'operator') return undefined
  const wasOwner = current?.role === 'owner'
  if (principal.role !== 'owner' && (wasOwner || nextRole === 'owner')) return { refused: 'owner_protected' }
  if (wasOwner && nextRole !== 'owner' && (await tx.countOwners(current.businessId)) === 1) {
    return { refused: 'last_owner' }
  }
  return undefined
}

async function tokensBeyond(tx: Transaction, member: Member, nowMs: number): Promise<TokenRecord[]> {
  const tokens = await tx.activeTokens(member.businessId, member.userId, nowMs)
  return tokens.filter(({ scopes }) => !scopes.every((scope) => roleAllows(member.role, scope)))
}

async function settled(deps: Deps, outcome: Committed | Refused): Promise<MemberChange | Refused> {
  if ('refused' in outcome) return outcome
  const { member, seq } = outcome
  return { member, inForce: await deps.tokens.inForce(seq) }
}
