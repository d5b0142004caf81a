import { type Selectable, sql } from 'kysely'
import type { Business, Member } from '../records.ts'
import type { BusinessTable, MemberTable } from './schema.ts'
import { command, one } from './statement.ts'

type BusinessRow = { [Column in keyof BusinessTable]: Selectable<BusinessTable>[Column] }
type MemberRow = { [Column in keyof MemberTable]: Selectable<MemberTable>[Column] }

/** Businesses and their members. Saving one again keeps its creation time. */
export const businessById = one<{ id: string }, BusinessRow, Business>(
  (db, args) => db.selectFrom('businesses').selectAll().where('id', '=', args.id),
  (row) => ({ id: row.id, name: row.name, createdAtMs: row.created_at_ms }),
)

export const saveBusiness = command<BusinessRow>((db, args) =>
  db
    .insertInto('businesses')
    .values({ id: args.id, name: args.name, created_at_ms: args.created_at_ms })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(({ ref }) => ({ name: ref('excluded.name') }))),
)

export const memberById = one<{ businessId: string; userId: string }, MemberRow, Member>(
  (db, args) =>
    db.selectFrom('members').selectAll().where('business_id', '=', args.businessId).where('user_id', '=', args.userId),
  decodeMember,
)

export const memberByEmail = one<{ businessId: string; email: string }, MemberRow, Member>(
  (db, args) =>
    db.selectFrom('members').selectAll().where('business_id', '=', args.businessId).where('email', '=', args.email),
  decodeMember,
)

export const countOwners = one<{ businessId: string }, { count: number }, number>(
  (db, args) =>
    db
      .selectFrom('members')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('business_id', '=', args.businessId)
      .where('role', '=', sql.lit('owner' as const)),
  ({ count }) => count,
)

export const saveMember = command<MemberRow>((db, args) =>
  db
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

export const removeMember = command<{ businessId: string; userId: string }>((db, args) =>
  db.deleteFrom('members').where('business_id', '=', args.businessId).where('user_id', '=', args.userId),
)

export function encodeBusiness({ id, name, createdAtMs }: Business): BusinessRow {
  return { id, name, created_at_ms: createdAtMs }
}

export function encodeMember({ businessId, userId, email, role, createdAtMs }: Member): MemberRow {
  return { business_id: businessId, user_id: userId, email, role, created_at_ms: createdAtMs }
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
