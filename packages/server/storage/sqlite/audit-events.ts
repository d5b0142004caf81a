import type { DatabaseSync } from 'node:sqlite'
import type { Selectable } from 'kysely'
import type { AuditEvent } from '../records.ts'
import type { AuditEventTable } from '../schema.ts'
import { sqlBuilder } from './sql-builder.ts'
import { type Placeholders, prepareCommand } from './statement.ts'

export function auditEventStatements(db: DatabaseSync) {
  const insert = prepareCommand(db, (args: Placeholders<Selectable<AuditEventTable>>) =>
    sqlBuilder.insertInto('audit_events').values({
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

  return {
    insertAuditEvent({ id, atMs, action, actor, businessId, subjectId }: AuditEvent): void {
      insert.run({
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
      })
    },
  }
}
