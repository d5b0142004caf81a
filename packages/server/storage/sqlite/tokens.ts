import type { DatabaseSync } from 'node:sqlite'
import type { NewToken, Revocation, TokenRecord } from '../records.ts'
import { sqlBuilder } from './sql-builder.ts'
import { type Placeholders, prepareCommand, prepareQuery } from './statement.ts'
import { decodeToken, encodeToken } from './token-row.ts'

type TokenRow = ReturnType<typeof encodeToken>

/** Token records, one at a time. */
export function tokenStatements(db: DatabaseSync) {
  const status = sqlBuilder.selectFrom('token_status').selectAll()
  const byId = prepareQuery(db, (args: Placeholders<{ id: string }>) => status.where('id', '=', args.id))
  const byJti = prepareQuery(db, (args: Placeholders<{ jti: string }>) => status.where('jti', '=', args.jti))
  const insert = prepareCommand(db, (args: Placeholders<TokenRow>) =>
    sqlBuilder.insertInto('tokens').values({
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
  const revoke = prepareCommand(
    db,
    (args: Placeholders<{ idx: number; seq: number; atMs: number; by: string | null; reason: string | null }>) =>
      sqlBuilder
        .updateTable('tokens')
        .set({ revoked_seq: args.seq, revoked_at_ms: args.atMs, revoked_by: args.by, revocation_reason: args.reason })
        .where('idx', '=', args.idx),
  )
  const use = prepareCommand(db, (args: Placeholders<{ idx: number; atMs: number }>) =>
    sqlBuilder
      .updateTable('tokens')
      .set({ last_used_at_ms: args.atMs })
      .where('idx', '=', args.idx)
      .where(({ or, eb }) => or([eb('last_used_at_ms', 'is', null), eb('last_used_at_ms', '<', args.atMs)])),
  )

  return {
    tokenByIdOrJti(uuid: string): TokenRecord | undefined {
      const row = byId.get({ id: uuid }) ?? byJti.get({ jti: uuid })
      return row && decodeToken(row)
    },
    insertToken(token: NewToken): void {
      insert.run(encodeToken(token))
    },
    markRevoked(idx: number, { seq, atMs, by, reason }: Revocation): void {
      if (revoke.run({ idx, seq, atMs, by, reason }) !== 1) throw new Error(`There is no token with idx ${idx}.`)
    },
    recordUsage(usage: ReadonlyMap<number, number>): void {
      for (const [idx, atMs] of usage) use.run({ idx, atMs })
    },
  }
}
