import type { DatabaseSync } from 'node:sqlite'
import { genesis } from '@rescind/protocol'
import type { Selectable } from 'kysely'
import type { Installation } from '../records.ts'
import type { InstallationTable, LogHeadTable } from '../schema.ts'
import { sqlBuilder } from './sql-builder.ts'
import { type Placeholders, prepareCommand, prepareQuery } from './statement.ts'

/** The installation, and with it the beginning of its revocation log. */
export function installationStatements(db: DatabaseSync) {
  const get = prepareQuery(db, () => sqlBuilder.selectFrom('installation').selectAll())
  const insert = prepareCommand(db, (args: Placeholders<Selectable<InstallationTable>>) =>
    sqlBuilder.insertInto('installation').values({
      id: args.id,
      issuer: args.issuer,
      epoch: args.epoch,
      token_prefix: args.token_prefix,
      operator_user_id: args.operator_user_id,
      operator_email: args.operator_email,
      created_at_ms: args.created_at_ms,
    }),
  )
  const insertHead = prepareCommand(db, (args: Placeholders<Selectable<LogHeadTable>>) =>
    sqlBuilder.insertInto('log_head').values({ id: args.id, epoch: args.epoch, seq: args.seq, hash: args.hash }),
  )

  return {
    installation(): Installation | undefined {
      const row = get.get({})
      return (
        row && {
          issuer: row.issuer,
          epoch: row.epoch,
          tokenPrefix: row.token_prefix,
          operatorUserId: row.operator_user_id,
          operatorEmail: row.operator_email,
          createdAtMs: row.created_at_ms,
        }
      )
    },
    createInstallation(installation: Installation): void {
      insert.run({
        id: 1,
        issuer: installation.issuer,
        epoch: installation.epoch,
        token_prefix: installation.tokenPrefix,
        operator_user_id: installation.operatorUserId,
        operator_email: installation.operatorEmail,
        created_at_ms: installation.createdAtMs,
      })
      const { epoch, seq, hash } = genesis(installation.epoch)
      insertHead.run({ id: 1, epoch, seq, hash })
    },
  }
}
