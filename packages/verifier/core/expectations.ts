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
  try {
    if (!isUnderstood(expected)) return 'insufficient_scope'
    if ('businessId' in expected && !isOfBusiness(token, expected.businessId)) return 'wrong_business'
    if ('scopes' in expected && !hasScopes(token, expected.scopes)) return 'insufficient_scope'
    return undefined
  } catch {
    return 'insufficient_scope'
  }
}

function isUnderstood(expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return false
  for (const name in expected) if (name !== 'businessId' && name !== 'scopes') return false
  // A Map, say, may hold demands that are not seen here.
  const prototype: unknown = Object.getPrototypeOf(expected)
  return prototype === Object.prototype || prototype === null || 'businessId' in expected || 'scopes' in expected
}

function isOfBusiness(token: Token, businessId: string | undefined): boolean {
  return typeof businessId === 'string' && token.businessId === businessId.toLowerCase()
}

function hasScopes(token: Token, scopes: readonly string[] | undefined): boolean {
  if (!Array.isArray(scopes)) return false
  // Gaps count, too.
  for (const scope of scopes) if (!token.scopes.includes(scope)) return false
  return true
}
