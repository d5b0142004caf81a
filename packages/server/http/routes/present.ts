import type { Static } from 'typebox'
import type { TokenRecord } from '../../tokens/find-token.ts'
import type { APITokenResponse } from '../schemas.ts'

/** A time as the API writes it: RFC 3339, UTC, milliseconds. */
export function instant(ms: number): string {
  return new Date(ms).toISOString()
}

/** A time that may be missing. */
export function instantOrNull(ms: number | null): string | null {
  return ms === null ? null : instant(ms)
}

/** A token's record as the API shows it. Nothing in it helps to make the token. */
export function presentToken(token: TokenRecord, tokenPrefix: string): Static<typeof APITokenResponse> {
  return {
    id: token.id,
    jti: token.jti,
    name: token.name,
    description: token.description,
    token_prefix: tokenPrefix + token.jti.slice(0, 8),
    token_type: 'api',
    scopes: [...token.scopes],
    created_at: instant(token.createdAtMs),
    last_used_at: instantOrNull(token.lastUsedAtMs),
    expires_at: instant(token.expiresAtMs),
    revoked_at: instantOrNull(token.revocation?.atMs ?? null),
    revocation_reason: token.revocation?.reason ?? null,
  }
}
