import type { DatabaseSync } from 'node:sqlite'
import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { TokenRecord } from '../records.ts'
import type { TokenTable } from '../schema.ts'
import type { TokenFilter, TokenQuery, TokenSort } from '../storage.ts'
import { sqlBuilder } from './sql-builder.ts'
import { type Placeholders, prepareQuery } from './statement.ts'
import { decodeToken } from './token-row.ts'

/** A missing last use sorts before every other: no time is below 0. The index is on this very expression. */
const MISSING = -1

/** Each order's column; text compares by bytes of UTF-8, which is by code point. */
const COLUMN: Record<TokenSort, RawBuilder<string | number>> = {
  created_at: sql.ref('created_at_ms'),
  name: sql.ref('name'),
  expires_at: sql.ref('expires_at_ms'),
  last_used_at: sql`coalesce(last_used_at_ms, ${sql.lit(MISSING)})`,
}

type FilterArgs = Placeholders<{ businessId: string | null; userId: string | null }>
type PageArgs = Placeholders<{
  businessId: string | null
  userId: string | null
  value: string | number | null
  id: string | null
  limit: number
}>

/** Many tokens at a time. A statement is prepared for each shape of question that comes up. */
export function tokenListStatements(db: DatabaseSync) {
  const prepareCount = remembered((shape: FilterShape) =>
    prepareQuery(db, (args: FilterArgs) => filtered(shape, args).select(({ fn }) => fn.countAll<number>().as('count'))),
  )
  const preparePage = remembered((shape: PageShape) => prepareQuery(db, (args: PageArgs) => page(shape, args)))
  const active = remembered((shape: FilterShape) =>
    prepareQuery(db, (args: Placeholders<{ businessId: string | null; userId: string | null; nowMs: number }>) =>
      filtered(shape, args).where('expires_at_ms', '>', args.nowMs).orderBy('created_at_ms').orderBy('id').selectAll(),
    ),
  )

  return {
    activeTokens(businessId: string | null, userId: string, nowMs: number): TokenRecord[] {
      const shape = shapeOf({ businessId, userId, includeRevoked: false })
      return active(shape).all({ businessId, userId, nowMs }).map(decodeToken)
    },
    listTokens(query: TokenQuery): TokenRecord[] {
      const { sort, descending, after, businessId, userId = null, limit } = query
      const shape = { ...shapeOf(query), sort, descending, fromStart: after === undefined }
      const place = { value: after?.value ?? MISSING, id: after?.id ?? null }
      return preparePage(shape)
        .all({ businessId, userId, ...place, limit })
        .map(decodeToken)
    },
    countTokens(filter: TokenFilter): number {
      const { businessId, userId = null } = filter
      return prepareCount(shapeOf(filter)).get({ businessId, userId })?.count ?? 0
    },
  }
}

interface FilterShape {
  readonly ofBusiness: boolean
  readonly ofHolder: boolean
  readonly includeRevoked: boolean
}

interface PageShape extends FilterShape {
  readonly sort: TokenSort
  readonly descending: boolean
  readonly fromStart: boolean
}

function shapeOf({ businessId, userId, includeRevoked }: TokenFilter): FilterShape {
  return { ofBusiness: businessId !== null, ofHolder: userId !== undefined, includeRevoked }
}

function filtered(shape: FilterShape, args: FilterArgs) {
  return (shape.includeRevoked ? sqlBuilder.selectFrom('token_status') : living(shape.ofHolder))
    .$if(shape.ofBusiness, (query) => query.where('business_id', '=', args.businessId))
    .$if(!shape.ofBusiness, (query) => query.where('business_id', 'is', null))
    .$if(shape.ofHolder, (query) => query.where('user_id', '=', args.userId))
}

/**
 * Tokens that nothing revokes, with the columns of `token_status`. Asked of the table itself, so that one holder's are
 * found by the index that has only living ones: what was revoked over the years costs nothing. The engine would choose
 * another index, as it keeps no statistics, so this one is named.
 */
function living(ofHolder: boolean) {
  const source = sql<Selectable<TokenTable>>`tokens`
  const alias = ofHolder ? 'token_status INDEXED BY living_tokens_of_holder' : 'token_status'
  return sqlBuilder
    .selectFrom(source.as<'token_status'>(sql.raw(alias)))
    .where('revoked_seq', 'is', null)
    .where(NOT_COVERED)
}

const NOT_COVERED = sql<boolean>`NOT EXISTS (
    SELECT 1 FROM bulk_revocations AS bulk
    WHERE bulk.kind = 'business' AND bulk.business_id = token_status.business_id AND bulk.before_idx > token_status.idx
  ) AND NOT EXISTS (
    SELECT 1 FROM bulk_revocations AS bulk
    WHERE bulk.kind = 'member' AND bulk.business_id = token_status.business_id
      AND bulk.user_id = token_status.user_id AND bulk.before_idx > token_status.idx
  ) AND NOT EXISTS (
    SELECT 1 FROM bulk_revocations AS bulk
    WHERE bulk.kind = 'key' AND bulk.kid = token_status.kid AND bulk.before_idx > token_status.idx
  )`

/** One holder's tokens are found by their holder and then sorted: `+` keeps the engine from walking a whole business in order. */
function page(shape: PageShape, args: PageArgs) {
  const column = COLUMN[shape.sort]
  const direction = shape.descending ? 'desc' : 'asc'
  const beyond = sql.raw(shape.descending ? '<' : '>')
  return filtered(shape, args)
    .$if(!shape.fromStart, (query) => query.where(sql<boolean>`(${column}, id) ${beyond} (${args.value}, ${args.id})`))
    .orderBy(shape.ofHolder && shape.sort !== 'created_at' ? sql`+${column}` : column, direction)
    .orderBy('id', direction)
    .limit(args.limit)
    .selectAll()
}

function remembered<Shape, Statement>(prepare: (shape: Shape) => Statement): (shape: Shape) => Statement {
  const statements = new Map<string, Statement>()
  return (shape) => {
    const key = JSON.stringify(shape)
    const statement = statements.get(key) ?? prepare(shape)
    statements.set(key, statement)
    return statement
  }
}
