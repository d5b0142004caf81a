import type { TokenRecord } from '../records.ts'
import { change, command, one } from './statement.ts'
import { decodeToken, type NewTokenRow, type TokenRow } from './token-row.ts'

/** Token records, one at a time. */
export const tokenById = one<{ id: string }, TokenRow, TokenRecord>(
  (db, args) => db.selectFrom('token_status').selectAll().where('id', '=', args.id),
  decodeToken,
)

export const tokenByJti = one<{ jti: string }, TokenRow, TokenRecord>(
  (db, args) => db.selectFrom('token_status').selectAll().where('jti', '=', args.jti),
  decodeToken,
)

export const insertToken = command<NewTokenRow>((db, args) =>
  db.insertInto('tokens').values({
    idx: args.idx,
    id: args.id,
    jti: args.jti,
    business_id: args.business_id,
    user_id: args.user_id,
    kid: args.kid,
    name: args.name,
    description: args.description,
    scopes: args.scopes,
    created_at_ms: args.created_at_ms,
    expires_at_ms: args.expires_at_ms,
    issued_by: args.issued_by,
  }),
)

export const markRevoked = change<{
  idx: number
  seq: number
  atMs: number
  by: string | null
  reason: string | null
}>('token', (db, args) =>
  db
    .updateTable('tokens')
    .set({ revoked_seq: args.seq, revoked_at_ms: args.atMs, revoked_by: args.by, revocation_reason: args.reason })
    .where('idx', '=', args.idx),
)

export const recordUse = command<{ idx: number; atMs: number }>((db, args) =>
  db
    .updateTable('tokens')
    .set({ last_used_at_ms: args.atMs })
    .where('idx', '=', args.idx)
    .where(({ or, eb }) => or([eb('last_used_at_ms', 'is', null), eb('last_used_at_ms', '<', args.atMs)])),
)
