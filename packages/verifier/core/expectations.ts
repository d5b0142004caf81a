import type { RejectionReason, Token } from '@rescind/protocol'

/** What a caller demands of a token beyond its being valid. */
export interface Expectations {
  /** UUID. A token that belongs to no business satisfies none. */
  readonly businessId?: string
  /** The token must carry every one of these. */
  readonly scopes?: readonly string[]
}

/**
 * The first demand that the token does not meet. What untyped callers may pass instead, such as a demand that is there
 * but `undefined`, is met by no token: it must not read as the absence of a demand.
 */
export function unmetExpectation(token: Token, expected: Expectations): RejectionReason | undefined {
  if (typeof expected !== 'object') return 'insufficient_scope'
  if ('businessId' in expected && !isOfBusiness(token, expected.businessId)) return 'wrong_business'
  if ('scopes' in expected && !hasScopes(token, expected.scopes)) return 'insufficient_scope'
  return undefined
}

function isOfBusiness(token: Token, businessId: string | undefined): boolean {
  return typeof businessId === 'string' && token.businessId === businessId.toLowerCase()
}

function hasScopes(token: Token, scopes: readonly string[] | undefined): boolean {
  return Array.isArray(scopes) && scopes.every((scope) => token.scopes.includes(scope))
}
