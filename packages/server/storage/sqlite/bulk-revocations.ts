import type { DatabaseSync } from 'node:sqlite'
import type { Selectable } from 'kysely'
import type { BulkTarget, Revocation } from '../records.ts'
import type { BulkRevocationTable } from '../schema.ts'
import { sqlBuilder } from './sql-builder.ts'
import { type Placeholders, prepareCommand } from './statement.ts'

/** Bulk revocations; the view `token_status` applies them to tokens. */
export function bulkRevocationStatements(db: DatabaseSync) {
  const insert = prepareCommand(db, (args: Placeholders<Selectable<BulkRevocationTable>>) =>
    sqlBuilder.insertInto('bulk_revocations').values({
      seq: args.seq,
      kind: args.kind,
      business_id: args.business_id,
      user_id: args.user_id,
      kid: args.kid,
      before_idx: args.before_idx,
      revoked_at_ms: args.revoked_at_ms,
      revoked_by: args.revoked_by,
      revocation_reason: args.revocation_reason,
    }),
  )

  return {
    insertBulkRevocation(subject: BulkTarget, beforeIdx: number, { seq, atMs, by, reason }: Revocation): void {
      insert.run({
        seq,
        kind: subject.kind,
        business_id: subject.kind === 'key' ? null : subject.businessId,
        user_id: subject.kind === 'member' ? subject.userId : null,
        kid: subject.kind === 'key' ? subject.kid : null,
        before_idx: beforeIdx,
        revoked_at_ms: atMs,
        revoked_by: by,
        revocation_reason: reason,
      })
    },
  }
}
