import type { DatabaseSync } from 'node:sqlite'
import type { Selectable } from 'kysely'
import type { SigningKeyRecord } from '../records.ts'
import type { SigningKeyTable } from '../schema.ts'
import { sqlBuilder } from './sql-builder.ts'
import { type Placeholders, prepareCommand, prepareQuery } from './statement.ts'

type KeyRow = Selectable<SigningKeyTable>

export function signingKeyStatements(db: DatabaseSync) {
  const all = prepareQuery(db, () => sqlBuilder.selectFrom('signing_keys').selectAll().orderBy('ordinal'))
  const byKid = prepareQuery(db, (args: Placeholders<{ kid: string }>) =>
    sqlBuilder.selectFrom('signing_keys').selectAll().where('kid', '=', args.kid),
  )
  const insert = prepareCommand(db, (args: Placeholders<Omit<KeyRow, 'ordinal'>>) =>
    sqlBuilder.insertInto('signing_keys').values({
      kid: args.kid,
      jwk: args.jwk,
      sealed_private_key: args.sealed_private_key,
      created_at_ms: args.created_at_ms,
      retired_at_ms: args.retired_at_ms,
    }),
  )
  const retire = prepareCommand(db, (args: Placeholders<{ kid: string; atMs: number }>) =>
    sqlBuilder.updateTable('signing_keys').set({ retired_at_ms: args.atMs }).where('kid', '=', args.kid),
  )

  return {
    signingKey(kid: string): SigningKeyRecord | undefined {
      const row = byKid.get({ kid })
      return row && decodeKey(row)
    },
    signingKeys(): SigningKeyRecord[] {
      return all.all({}).map(decodeKey)
    },
    insertSigningKey({ jwk, sealedPrivateKey, createdAtMs, retiredAtMs }: SigningKeyRecord): void {
      insert.run({
        kid: jwk.kid,
        jwk: JSON.stringify(jwk),
        sealed_private_key: sealedPrivateKey,
        created_at_ms: createdAtMs,
        retired_at_ms: retiredAtMs,
      })
    },
    markKeyRetired(kid: string, atMs: number): void {
      if (retire.run({ kid, atMs }) !== 1) throw new Error(`There is no signing key ${kid}.`)
    },
  }
}

function decodeKey(row: KeyRow): SigningKeyRecord {
  return {
    jwk: JSON.parse(row.jwk),
    sealedPrivateKey: row.sealed_private_key,
    createdAtMs: row.created_at_ms,
    retiredAtMs: row.retired_at_ms,
  }
}
