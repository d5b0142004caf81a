import type { DatabaseSync } from 'node:sqlite'
import { type Selectable, sql } from 'kysely'
import type { Business, Member } from '../records.ts'
import type { BusinessTable, MemberTable } from '../schema.ts'
import { sqlBuilder } from './sql-builder.ts'
import { type Placeholders, prepareCommand, prepareQuery } from './statement.ts'

type BusinessRow = Selectable<BusinessTable>
type MemberRow = Selectable<MemberTable>

/** Businesses and their members. Saving one again keeps its creation time. */
export function memberStatements(db: DatabaseSync) {
  const businessById = prepareQuery(db, (args: Placeholders<{ id: string }>) =>
    sqlBuilder.selectFrom('businesses').selectAll().where('id', '=', args.id),
  )
  const saveBusiness = prepareCommand(db, (args: Placeholders<BusinessRow>) =>
    sqlBuilder
      .insertInto('businesses')
      .values({ id: args.id, name: args.name, created_at_ms: args.created_at_ms })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(({ ref }) => ({ name: ref('excluded.name') }))),
  )
  const memberById = prepareQuery(db, (args: Placeholders<{ businessId: string; userId: string }>) =>
    sqlBuilder
      .selectFrom('members')
      .selectAll()
      .where('business_id', '=', args.businessId)
      .where('user_id', '=', args.userId),
  )
  const memberByEmail = prepareQuery(db, (args: Placeholders<{ businessId: string; email: string }>) =>
    sqlBuilder
      .selectFrom('members')
      .selectAll()
      .where('business_id', '=', args.businessId)
      .where('email', '=', args.email),
  )
  const owners = prepareQuery(db, (args: Placeholders<{ businessId: string }>) =>
    sqlBuilder
      .selectFrom('members')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('business_id', '=', args.businessId)
      .where('role', '=', sql.lit('owner' as const)),
  )
  const saveMember = prepareCommand(db, (args: Placeholders<MemberRow>) =>
    sqlBuilder
      .insertInto('members')
      .values({
        business_id: args.business_id,
        user_id: args.user_id,
        email: args.email,
        role: args.role,
        created_at_ms: args.created_at_ms,
      })
      .onConflict((conflict) =>
        conflict
          .columns(['business_id', 'user_id'])
          .doUpdateSet(({ ref }) => ({ email: ref('excluded.email'), role: ref('excluded.role') })),
      ),
  )
  const removeMember = prepareCommand(db, (args: Placeholders<{ businessId: string; userId: string }>) =>
    sqlBuilder.deleteFrom('members').where('business_id', '=', args.businessId).where('user_id', '=', args.userId),
  )

  return {
    business(id: string): Business | undefined {
      const row = businessById.get({ id })
      return row && { id: row.id, name: row.name, createdAtMs: row.created_at_ms }
    },
    member(businessId: string, userId: string): Member | undefined {
      const row = memberById.get({ businessId, userId })
      return row && decodeMember(row)
    },
    memberByEmail(businessId: string, email: string): Member | undefined {
      const row = memberByEmail.get({ businessId, email })
      return row && decodeMember(row)
    },
    countOwners(businessId: string): number {
      return owners.get({ businessId })?.count ?? 0
    },
    upsertBusiness({ id, name, createdAtMs }: Business): void {
      saveBusiness.run({ id, name, created_at_ms: createdAtMs })
    },
    upsertMember({ businessId, userId, email, role, createdAtMs }: Member): void {
      saveMember.run({ business_id: businessId, user_id: userId, email, role, created_at_ms: createdAtMs })
    },
    deleteMember(businessId: string, userId: string): void {
      removeMember.run({ businessId, userId })
    },
  }
}

function decodeMember(row: MemberRow): Member {
  return {
    businessId: row.business_id,
    userId: row.user_id,
    email: row.email,
    role: row.role,
    createdAtMs: row.created_at_ms,
  }
}
