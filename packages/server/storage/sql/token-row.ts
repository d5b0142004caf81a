import { parseScope } from '@rescind/protocol'
import type { Selectable } from 'kysely'
import type { NewToken, Revocation, TokenRecord } from '../records.ts'
import type { TokenTable } from './schema.ts'

export type TokenRow = Selectable<TokenTable>
export type NewTokenRow = ReturnType<typeof encodeToken>

/** A row of `token_status` as a record. */
export function decodeToken(row: TokenRow): TokenRecord {
  return {
    id: row.id,
    jti: row.jti,
    idx: row.idx,
    businessId: row.business_id,
    userId: row.user_id,
    kid: row.kid,
    name: row.name,
    description: row.description,
    scopes: parseScope(row.scopes),
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
    issuedBy: row.issued_by,
    revocation: decodeRevocation(row),
  }
}

function decodeRevocation(row: TokenRow): Revocation | null {
  if (row.revoked_seq === null || row.revoked_at_ms === null) return null
  return { seq: row.revoked_seq, atMs: row.revoked_at_ms, by: row.revoked_by, reason: row.revocation_reason }
}

export function encodeToken(token: NewToken) {
  return {
    idx: token.idx,
    id: token.id,
    jti: token.jti,
    business_id: token.businessId,
    user_id: token.userId,
    kid: token.kid,
    name: token.name,
    description: token.description,
    scopes: token.scopes.join(' '),
    created_at_ms: token.createdAtMs,
    expires_at_ms: token.expiresAtMs,
    issued_by: token.issuedBy,
  }
}
