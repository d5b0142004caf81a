import type { Selectable } from 'kysely'
import type { AuditEvent } from '../records.ts'
import type { AuditEventTable } from './schema.ts'
import { command } from './statement.ts'

export const insertAuditEvent = command<Row>((db, args) =>
  db.insertInto('audit_events').values({
    id: args.id,
    at_ms: args.at_ms,
    action: args.action,
    request_id: args.request_id,
    token_id: args.token_id,
    user_id: args.user_id,
    email: args.email,
    claimed_email: args.claimed_email,
    business_id: args.business_id,
    subject_id: args.subject_id,
  }),
)

type Row = { [Column in keyof AuditEventTable]: Selectable<AuditEventTable>[Column] }

export function encodeAuditEvent({ id, atMs, action, actor, businessId, subjectId }: AuditEvent): Row {
  return {
    id,
    at_ms: atMs,
    action,
    request_id: actor.requestId,
    token_id: actor.tokenId,
    user_id: actor.userId,
    email: actor.email,
    claimed_email: actor.claimedEmail,
    business_id: businessId,
    subject_id: subjectId,
  }
}
