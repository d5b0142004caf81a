import type { RejectionReason, Token } from '@rescind/protocol'

/** What a caller demands of a token beyond its being valid. */
export interface Expectations {
  /** UUID. A token that belongs to no business satisfies none. */
  readonly businessId?: string
  /** The token must carry every one of these. */
  readonly scopes?: readonly string[]
}

/**
 * The first demand that the token does not meet. What untyped callers may pass instead is met by no token: a demand that
 * is there but `undefined`, or misspelt, must not read as the absence of one.
 */
export function unmetExpectation(token: Token, expected: Expectations): RejectionReason | undefined {
  if (!isUnderstood(expected)) return 'insufficient_scope'
  if ('businessId' in expected && !isOfBusiness(token, expected.businessId)) return 'wrong_business'
  if ('scopes' in expected && !hasScopes(token, expected.scopes)) return 'insufficient_scope'
  return undefined
}

function isUnderstood(expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return false
  for (const name in expected) if (name !== 'businessId' && name !== 'scopes') return false
  return true
}

function isOfBusiness(token: Token, businessId: string | undefined): boolean {
  return typeof businessId === 'string' && token.businessId === businessId.toLowerCase()
}

function hasScopes(token: Token, scopes: readonly string[] | undefined): boolean {
  return Array.isArray(scopes) && scopes.every((scope) => token.scopes.includes(scope))
}
