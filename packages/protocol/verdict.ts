import type { TokenClaims } from './claims.ts'
import { parseScope } from './scopes.ts'

/** Why a token was rejected. A closed list: clients may branch on it. */
export const REJECTION_REASONS = [
  /** Not of the shape `prefix` + three canonical base64url segments, or longer than 8192 characters. */
  'malformed',
  /** The header segment is not one that a published key of this issuer makes. */
  'unknown_key',
  'bad_signature',
  /** Correctly signed, but the claims are not those of an API token. */
  'bad_claims',
  /** `iss`, `aud` or the status list belong to another installation, or to an end of the log that was lost. */
  'wrong_issuer',
  'expired',
  'revoked',
  /** Correctly signed and not revoked, but no such token was ever recorded. Only the service itself can tell. */
  'unknown_token',
  'wrong_business',
  'insufficient_scope',
] as const

export type RejectionReason = (typeof REJECTION_REASONS)[number]

/** What a token says. Frozen: one is handed to many callers. */
export interface Token {
  /** Id (UUID) of the token's record; safe to log. */
  readonly id: string
  /** UUID v4. */
  readonly jti: string
  /** UUID of the holder. */
  readonly userId: string
  /** UUID; `null` for an operator's token, which belongs to no business. */
  readonly businessId: string | null
  readonly scopes: readonly string[]
  /** Milliseconds since the epoch. */
  readonly issuedAtMs: number
  /** Milliseconds since the epoch; the token is expired from then on. */
  readonly expiresAtMs: number
}

/** A token whose signature and claims have been checked. */
export interface VerifiedToken extends Token {
  readonly claims: TokenClaims
  /** The key that signed it. */
  readonly kid: string
}

/** What the claims say, for people. */
export function readToken({ client_id, jti, sub, business_id, scope, iat, exp }: Omit<TokenClaims, 'status'>): Token {
  return Object.freeze({
    id: client_id,
    jti,
    userId: sub,
    businessId: business_id ?? null,
    scopes: Object.freeze(parseScope(scope)),
    issuedAtMs: iat * 1000,
    expiresAtMs: exp * 1000,
  })
}

/**
 * The outcome of a verification. Expected outcomes are values: verifying never throws, whatever the input.
 * `tokenId` is the id of the token's record, present once the signature was found good; it is safe to log.
 */
export type Verdict =
  | { readonly status: 'valid'; readonly token: VerifiedToken }
  | { readonly status: 'rejected'; readonly reason: RejectionReason; readonly tokenId?: string }
