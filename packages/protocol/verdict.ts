import type { TokenClaims } from './claims.ts'

/** Why a token was rejected. A closed list: clients may branch on it. */
export const REJECTION_REASONS = [
  /** Not of the shape `prefix` + three canonical base64url segments, or longer than 8192 characters. */
  'malformed',
  /** The header segment is not one that a published key of this issuer makes. */
  'unknown_key',
  'bad_signature',
  /** Correctly signed, but the claims are not those of an API token. */
  'bad_claims',
  /** `iss`, `aud` or the status list belong to another installation. */
  'wrong_issuer',
  'expired',
  'revoked',
  /** Correctly signed and not revoked, but no such token was ever recorded. Only the service itself can tell. */
  'unknown_token',
  'wrong_business',
  'insufficient_scope',
] as const

export type RejectionReason = (typeof REJECTION_REASONS)[number]

/** A token whose signature and claims have been checked. */
export interface VerifiedToken {
  readonly claims: TokenClaims
  readonly kid: string
  readonly scopes: readonly string[]
}

/**
 * The outcome of a verification. Expected outcomes are values: verifying never throws, whatever the input.
 * `tokenId` is the id of the token's record, present once the signature was found good; it is safe to log.
 */
export type Verdict =
  | { readonly status: 'valid'; readonly token: VerifiedToken }
  | { readonly status: 'rejected'; readonly reason: RejectionReason; readonly tokenId?: string }
