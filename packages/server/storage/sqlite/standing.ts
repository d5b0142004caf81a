import type { DatabaseSync } from 'node:sqlite'
import type { Standing } from '../records.ts'
import { sqlBuilder } from './sql-builder.ts'
import { type Placeholders, prepareQuery } from './statement.ts'

/** What the API asks at every request, in one query. */
export function standingStatements(db: DatabaseSync) {
  const byIdx = prepareQuery(db, (args: Placeholders<{ idx: number }>) =>
    sqlBuilder
      .selectFrom('token_status as token')
      .leftJoin('members as member', (join) =>
        join.onRef('member.business_id', '=', 'token.business_id').onRef('member.user_id', '=', 'token.user_id'),
      )
      .leftJoin('installation', (join) =>
        join.on('token.business_id', 'is', null).onRef('installation.operator_user_id', '=', 'token.user_id'),
      )
      .where('token.idx', '=', args.idx)
      .select(({ fn }) => [
        'token.id',
        'token.jti',
        'token.business_id',
        'token.user_id',
        'token.revoked_seq',
        'member.role',
        fn.coalesce('member.email', 'installation.operator_email').as('email'),
      ]),
  )

  return {
    standing(idx: number): Standing | undefined {
      const row = byIdx.get({ idx })
      return (
        row && {
          tokenId: row.id,
          jti: row.jti,
          businessId: row.business_id,
          userId: row.user_id,
          revoked: row.revoked_seq !== null,
          role: row.role,
          email: row.email,
        }
      )
    },
  }
}
