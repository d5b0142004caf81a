import type { Role, Standing } from '../records.ts'
import { one } from './statement.ts'

interface Row {
  readonly id: string
  readonly jti: string
  readonly business_id: string | null
  readonly user_id: string
  readonly revoked_seq: number | null
  readonly role: Role | null
  readonly email: string | null
}

/** What the API asks at every request, in one query. */
export const standingByIdx = one<{ idx: number }, Row, Standing>(
  (db, args) =>
    db
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
  (row) => ({
    tokenId: row.id,
    jti: row.jti,
    businessId: row.business_id,
    userId: row.user_id,
    revoked: row.revoked_seq !== null,
    role: row.role,
    email: row.email,
  }),
)
