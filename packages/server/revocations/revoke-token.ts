import type { Clock, InForce } from '@rescind/protocol'
import type { Revocation, TokenRecord, Transaction } from '../storage/storage.ts'
import type { Refused, Write } from '../storage/write.ts'
import type { Enforcement } from './enforcement.ts'

export type { Revocation, TokenRecord }

export interface RevokeRequest {
  /** The record's id or the jti: a leaked token shows only the latter. */
  readonly tokenId: string
  /** Tokens of another business do not exist for the caller. */
  readonly businessId: string | null
  /** Whose tokens the caller may revoke: everyone's in the business, or one holder's. */
  readonly reach: 'everyone' | { readonly userId: string }
  /** Email the revocation is attributed to. */
  readonly by: string
  readonly reason: string | null
}

export type RevokedToken = TokenRecord & { readonly revocation: Revocation }

interface Revoked {
  readonly token: RevokedToken
  readonly first: boolean
}

export type RevokeOutcome = (Revoked & { readonly inForce: InForce }) | Refused

/**
 * Revokes one token, for good. Resolves when the revocation is in force everywhere: from then on every verification that
 * begins is rejected. Revoking again changes nothing and waits for the first revocation.
 */
export async function revokeToken(
  deps: { readonly clock: Clock; readonly enforcement: Enforcement },
  write: Write,
  request: RevokeRequest,
): Promise<RevokeOutcome> {
  const outcome = await write<Revoked | Refused>(async (tx, audit) => {
    const token = await tx.tokenByIdOrJti(request.tokenId)
    if (token === undefined || token.businessId !== request.businessId) return { refused: 'token_not_found' }
    if (request.reach !== 'everyone' && request.reach.userId !== token.userId) return { refused: 'not_your_token' }
    if (token.revocation !== null) return { token: { ...token, revocation: token.revocation }, first: false }

    const revocation = await endToken(tx, token.idx, {
      atMs: deps.clock.nowMs(),
      by: request.by,
      reason: request.reason,
    })
    await audit('token.revoked', { businessId: token.businessId, id: token.id })
    return { token: { ...token, revocation }, first: true }
  })
  if ('refused' in outcome) return outcome
  return { ...outcome, inForce: await deps.enforcement.inForce(outcome.token.revocation.seq) }
}

/** Revokes a token that is not revoked yet: one entry in the log, and the same fact on the token's row. */
export async function endToken(tx: Transaction, idx: number, cause: Omit<Revocation, 'seq'>): Promise<Revocation> {
  const entry = await tx.appendEntry({ kind: 'token_revoked', idx }, cause.atMs)
  const revocation = { seq: entry.seq, ...cause }
  await tx.markRevoked(idx, revocation)
  return revocation
}
