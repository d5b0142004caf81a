import type { Reads, TokenFilter, TokenPlace, TokenRecord, TokenSort } from '../storage/storage.ts'
import type { Refused } from '../storage/write.ts'
import type { CursorCodec } from './cursor.ts'

export type { TokenSort }

export interface ListRequest extends TokenFilter {
  readonly sort: TokenSort
  readonly descending: boolean
  /** Where to go on; empty for the start. */
  readonly cursor: string
  /** `prev` reads backwards from the cursor (without one: from the end). Pages are always in the order of `sort`. */
  readonly direction: 'next' | 'prev'
  /** 1 to 1000. */
  readonly limit: number
  readonly includeTotal: boolean
}

export interface TokenPage {
  readonly items: readonly TokenRecord[]
  /** `null` unless asked for. */
  readonly total: number | null
  readonly nextCursor: string | null
  readonly prevCursor: string | null
}

/**
 * One page of tokens by keyset: rows inserted or removed between two pages shift nothing. A page has a cursor in a
 * direction only if there are rows in that direction.
 */
export async function listTokens(
  deps: { readonly read: Pick<Reads, 'listTokens' | 'countTokens'>; readonly cursors: CursorCodec },
  request: ListRequest,
): Promise<TokenPage | Refused> {
  const { sort, descending, cursor, direction, limit } = request
  const list = JSON.stringify([request.businessId, sort, descending])
  const from = cursor === '' ? undefined : deps.cursors.decode(cursor, list)
  if (cursor !== '' && from === undefined) return { refused: 'cursor_invalid' }

  const backwards = direction === 'prev'
  const filter = {
    businessId: request.businessId,
    includeRevoked: request.includeRevoked,
    ...(request.userId === undefined ? {} : { userId: request.userId }),
  }
  const query = { ...filter, sort, descending: descending !== backwards }
  const rows = await deps.read.listTokens({ ...query, limit: limit + 1, ...(from && { after: from }) })
  const more = rows.length > limit
  const items = rows.slice(0, limit)
  if (backwards) items.reverse()

  const cursorAt = (token: TokenRecord | undefined) => (token ? deps.cursors.encode(placeOf(token, sort), list) : null)
  const first = items.at(0)
  const last = items.at(-1)
  const hasNext = backwards ? from !== undefined : more
  const hasPrev = backwards ? more : from !== undefined
  return {
    items,
    total: request.includeTotal ? await deps.read.countTokens(filter) : null,
    // A page that emptied since its cursor was made still leads back the way it was reached.
    nextCursor: hasNext ? (cursorAt(last) ?? cursor) : null,
    prevCursor: hasPrev ? (cursorAt(first) ?? cursor) : null,
  }
}

function placeOf(token: TokenRecord, sort: TokenSort): TokenPlace {
  switch (sort) {
    case 'created_at':
      return { value: token.createdAtMs, id: token.id }
    case 'name':
      return { value: token.name, id: token.id }
    case 'expires_at':
      return { value: token.expiresAtMs, id: token.id }
    case 'last_used_at':
      return { value: token.lastUsedAtMs, id: token.id }
  }
}
