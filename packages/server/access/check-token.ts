import type { RejectionReason, Verdict, VerifiedToken } from '@rescind/protocol'
import type { Reads, Standing } from '../storage/storage.ts'

/** What a token has to satisfy besides being valid. */
export interface TokenExpectations {
  readonly businessId?: string
  readonly scopes?: readonly string[]
}

/** The verifier of this node, as far as this folder needs it. */
export interface LocalVerifier {
  verify(token: string, expected?: TokenExpectations): Verdict | { readonly status: 'undecided' }
}

/** A token that the verifier accepts and the database knows, with what it says of the holder now. */
export interface CheckedToken {
  readonly status: 'valid'
  readonly token: VerifiedToken
  readonly standing: Standing
}

/** The verdict of the service itself. */
export type ServiceVerdict =
  | CheckedToken
  | { readonly status: 'rejected'; readonly reason: RejectionReason; readonly tokenId?: string }
  | { readonly status: 'undecided' }

export type CheckToken = (token: string, expected?: TokenExpectations) => Promise<ServiceVerdict>

interface Deps {
  readonly verifier: LocalVerifier
  readonly read: Pick<Reads, 'standing'>
  /** Called for every token that was accepted. */
  readonly noteUse: (idx: number) => void
}

/**
 * How the service decides about a token: by the token itself, and by its row, which a verifier elsewhere cannot see.
 * The verifier has the last word: it is asked again after the database was, so that a lease that lapsed or a revocation
 * that was applied meanwhile counts.
 */
export function createCheckToken({ verifier, read, noteUse }: Deps): CheckToken {
  return async (token, expected) => {
    const early = verifier.verify(token, expected)
    if (early.status !== 'valid') return early
    const { idx } = early.token.claims.status.status_list
    const standing = await read.standing(idx)
    const verdict = verifier.verify(token, expected)
    if (verdict.status !== 'valid') return verdict

    const { client_id: tokenId, jti } = verdict.token.claims
    if (standing === undefined || standing.jti !== jti) return { status: 'rejected', reason: 'unknown_token', tokenId }
    if (standing.revoked || isOrphaned(standing)) return { status: 'rejected', reason: 'revoked', tokenId }
    noteUse(idx)
    return { status: 'valid', token: verdict.token, standing }
  }
}

/** The holder is no longer a member of the business. */
function isOrphaned({ businessId, role }: Standing): boolean {
  return businessId !== null && role === null
}
