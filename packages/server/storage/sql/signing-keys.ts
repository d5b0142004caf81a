import type { Selectable } from 'kysely'
import type { SigningKeyRecord } from '../records.ts'
import type { SigningKeyTable } from './schema.ts'
import { all, change, command, one } from './statement.ts'

type Row = { [Column in Exclude<keyof SigningKeyTable, 'ordinal'>]: Selectable<SigningKeyTable>[Column] }

export const signingKeys = all((db) => db.selectFrom('signing_keys').selectAll().orderBy('ordinal'), decodeKey)

export const signingKeyByKid = one<{ kid: string }, Row, SigningKeyRecord>(
  (db, args) => db.selectFrom('signing_keys').selectAll().where('kid', '=', args.kid),
  decodeKey,
)

export const insertSigningKey = command<Row>((db, args) =>
  db.insertInto('signing_keys').values({
    kid: args.kid,
    jwk: args.jwk,
    sealed_private_key: args.sealed_private_key,
    created_at_ms: args.created_at_ms,
    retired_at_ms: args.retired_at_ms,
  }),
)

export const retireSigningKey = change<{ kid: string; atMs: number }>('signing key', (db, args) =>
  db.updateTable('signing_keys').set({ retired_at_ms: args.atMs }).where('kid', '=', args.kid),
)

export function encodeKey({ jwk, sealedPrivateKey, createdAtMs, retiredAtMs }: SigningKeyRecord): Row {
  return {
    kid: jwk.kid,
    jwk: JSON.stringify(jwk),
    sealed_private_key: sealedPrivateKey,
    created_at_ms: createdAtMs,
    retired_at_ms: retiredAtMs,
  }
}

function decodeKey(row: Row): SigningKeyRecord {
  return {
    jwk: JSON.parse(row.jwk),
    sealedPrivateKey: row.sealed_private_key,
    createdAtMs: row.created_at_ms,
    retiredAtMs: row.retired_at_ms,
  }
}
