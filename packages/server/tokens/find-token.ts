import type { Reads, TokenRecord } from '../storage/storage.ts'
import type { Refused } from '../storage/write.ts'

export type { TokenRecord }

/** Whose tokens a caller reaches: everyone's in the business, or one holder's. */
export type Reach = 'everyone' | { readonly userId: string }

/**
 * One token, by the record's id or the jti, if the caller may see it. One that exists elsewhere is indistinguishable
 * from one that does not exist.
 */
export async function findToken(
  read: Pick<Reads, 'tokenByIdOrJti'>,
  tokenId: string,
  businessId: string | null,
  reach: Reach,
): Promise<TokenRecord | Refused> {
  const token = await read.tokenByIdOrJti(tokenId)
  if (token === undefined || token.businessId !== businessId) return { refused: 'token_not_found' }
  if (reach !== 'everyone' && reach.userId !== token.userId) return { refused: 'token_not_found' }
  return token
}
