import type { Selectable } from 'kysely'
import type { Installation } from '../records.ts'
import type { InstallationTable, LogHeadTable } from './schema.ts'
import { command, one } from './statement.ts'

type Row = { [Column in keyof InstallationTable]: Selectable<InstallationTable>[Column] }

export const readInstallation = one((db) => db.selectFrom('installation').selectAll(), decodeInstallation)

export const insertInstallation = command<Row>((db, args) =>
  db.insertInto('installation').values({
    id: args.id,
    issuer: args.issuer,
    epoch: args.epoch,
    token_prefix: args.token_prefix,
    operator_user_id: args.operator_user_id,
    operator_email: args.operator_email,
    created_at_ms: args.created_at_ms,
  }),
)

/** The beginning of the revocation log. */
export const insertHead = command<{ [Column in keyof LogHeadTable]: LogHeadTable[Column] }>((db, args) =>
  db.insertInto('log_head').values({ id: args.id, epoch: args.epoch, seq: args.seq, hash: args.hash }),
)

export function encodeInstallation(installation: Installation): Row {
  return {
    id: 1,
    issuer: installation.issuer,
    epoch: installation.epoch,
    token_prefix: installation.tokenPrefix,
    operator_user_id: installation.operatorUserId,
    operator_email: installation.operatorEmail,
    created_at_ms: installation.createdAtMs,
  }
}

function decodeInstallation(row: Row): Installation {
  return {
    issuer: row.issuer,
    epoch: row.epoch,
    tokenPrefix: row.token_prefix,
    operatorUserId: row.operator_user_id,
    operatorEmail: row.operator_email,
    createdAtMs: row.created_at_ms,
  }
}
