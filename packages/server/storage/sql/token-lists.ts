import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import type { TokenRecord } from '../records.ts'
import type { TokenFilter, TokenQuery, TokenSort } from '../storage.ts'
import type { Schema } from './schema.ts'
import type { SqlBuilder } from './sql-builder.ts'
import { all, type Placeholders, type Run, type Statement } from './statement.ts'
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

type Holder = { businessId: string | null; userId: string | null }
type HolderNow = Holder & { nowMs: number }
type Page = Holder & { value: string | number | null; id: string | null; limit: number }

type TokenRows = SelectQueryBuilder<Schema, 'token_status', Record<never, never>>

/** How a database is asked so that its planner takes the index it should. */
export interface PlannerHints {
  /** The table `tokens` under the name of the view `token_status`, to find the living tokens of a business or of one holder. */
  readonly living: (db: SqlBuilder, ofHolder: boolean) => TokenRows
  /** Sorts by a column without being tempted to walk a whole business in the order of its index. */
  readonly sortedAside: (column: RawBuilder<string | number>) => RawBuilder<string | number>
}

/** Many tokens at a time. There is a statement for each shape of question that comes up. */
export class TokenLists {
  readonly #counts: (shape: FilterShape) => Statement<Holder, number>
  readonly #pages: (shape: PageShape) => Statement<Page, TokenRecord[]>
  readonly #active: (shape: FilterShape) => Statement<HolderNow, TokenRecord[]>
  readonly #activeCounts: (shape: FilterShape) => Statement<HolderNow, number>

  constructor(hints: PlannerHints) {
    this.#counts = remembered((shape) => ({
      build: (db, args) => counted(filtered(db, hints, shape, args)),
      result: readCount,
    }))
    this.#activeCounts = remembered((shape) => ({
      build: (db, args) => counted(unexpired(db, hints, shape, args)),
      result: readCount,
    }))
    this.#pages = remembered((shape) => all((db, args) => page(db, hints, shape, args), decodeToken))
    this.#active = remembered((shape) =>
      all(
        (db, args) => unexpired(db, hints, shape, args).orderBy('created_at_ms').orderBy('id').selectAll(),
        decodeToken,
      ),
    )
  }

  active(run: Run, businessId: string | null, userId: string, nowMs: number): Promise<TokenRecord[]> {
    return run(this.#active(shapeOf({ businessId, userId, includeRevoked: false })), { businessId, userId, nowMs })
  }

  countActive(run: Run, businessId: string | null, userId: string, nowMs: number): Promise<number> {
    const shape = shapeOf({ businessId, userId, includeRevoked: false })
    return run(this.#activeCounts(shape), { businessId, userId, nowMs })
  }

  page(run: Run, query: TokenQuery): Promise<TokenRecord[]> {
    const { sort, descending, after, businessId, userId = null, limit } = query
    const shape = { ...shapeOf(query), sort, descending, fromStart: after === undefined }
    const place = { value: after?.value ?? MISSING, id: after?.id ?? null }
    return run(this.#pages(shape), { businessId, userId, ...place, limit })
  }

  count(run: Run, filter: TokenFilter): Promise<number> {
    const { businessId, userId = null } = filter
    return run(this.#counts(shapeOf(filter)), { businessId, userId })
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

function filtered(
  db: SqlBuilder,
  hints: PlannerHints,
  { ofBusiness, ofHolder, includeRevoked }: FilterShape,
  args: Placeholders<Holder>,
) {
  return (includeRevoked ? db.selectFrom('token_status') : notCovered(hints.living(db, ofHolder)))
    .$if(ofBusiness, (query) => query.where('business_id', '=', args.businessId))
    .$if(!ofBusiness, (query) => query.where('business_id', 'is', null))
    .$if(ofHolder, (query) => query.where('user_id', '=', args.userId))
}

/**
 * Tokens that nothing revokes, with the columns of `token_status`. Asked of the table itself, so that one holder's are
 * found by the index that has only living ones: what was revoked over the years costs nothing.
 */
function notCovered(tokens: TokenRows): TokenRows {
  return tokens.where('revoked_seq', 'is', null).where(({ and, exists, not, selectFrom, lit }) => {
    const bulk = (kind: 'business' | 'member' | 'key') =>
      selectFrom('bulk_revocations as bulk')
        .select(lit(1).as('one'))
        .where('bulk.kind', '=', sql.lit(kind))
        .whereRef('bulk.before_idx', '>', 'token_status.idx')
    return and([
      not(exists(bulk('business').whereRef('bulk.business_id', '=', 'token_status.business_id'))),
      not(
        exists(
          bulk('member')
            .whereRef('bulk.business_id', '=', 'token_status.business_id')
            .whereRef('bulk.user_id', '=', 'token_status.user_id'),
        ),
      ),
      not(exists(bulk('key').whereRef('bulk.kid', '=', 'token_status.kid'))),
    ])
  })
}

function unexpired(db: SqlBuilder, hints: PlannerHints, shape: FilterShape, args: Placeholders<HolderNow>) {
  return filtered(db, hints, shape, args).where('expires_at_ms', '>', args.nowMs)
}

function counted(tokens: TokenRows) {
  return tokens.select(({ fn }) => fn.countAll<number>().as('count'))
}

function readCount([row]: readonly unknown[]): number {
  return (row as { readonly count: number }).count
}

/** One holder's tokens are found by their holder and then sorted. */
function page(db: SqlBuilder, hints: PlannerHints, shape: PageShape, args: Placeholders<Page>) {
  const column = COLUMN[shape.sort]
  const direction = shape.descending ? 'desc' : 'asc'
  const beyond = sql.raw(shape.descending ? '<' : '>')
  return filtered(db, hints, shape, args)
    .$if(!shape.fromStart, (query) => query.where(sql<boolean>`(${column}, id) ${beyond} (${args.value}, ${args.id})`))
    .orderBy(shape.ofHolder && shape.sort !== 'created_at' ? hints.sortedAside(column) : column, direction)
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
