import type { Selectable } from 'kysely'
import type { BulkTarget, Revocation } from '../records.ts'
import type { BulkRevocationTable } from './schema.ts'
import { command } from './statement.ts'

type Row = { [Column in keyof BulkRevocationTable]: Selectable<BulkRevocationTable>[Column] }

/** Bulk revocations; the view `token_status` applies them to tokens. */
export const insertBulkRevocation = command<Row>((db, args) =>
  db.insertInto('bulk_revocations').values({
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

export function encodeBulkRevocation(
  subject: BulkTarget,
  beforeIdx: number,
  { seq, atMs, by, reason }: Revocation,
): Row {
  return {
    seq,
    kind: subject.kind,
    business_id: subject.kind === 'key' ? null : subject.businessId,
    user_id: subject.kind === 'member' ? subject.userId : null,
    kid: subject.kind === 'key' ? subject.kid : null,
    before_idx: beforeIdx,
    revoked_at_ms: atMs,
    revoked_by: by,
    revocation_reason: reason,
  }
}
