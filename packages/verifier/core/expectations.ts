import type { RejectionReason, VerifiedToken } from '@rescind/protocol'

/** What a caller demands of a token beyond its being valid. */
export interface Expectations {
  /** UUID, lower case. A token that belongs to no business satisfies none. */
  readonly businessId?: string
  /** The token must carry every one of these. */
  readonly scopes?: readonly string[]
}

/**
 * The first demand that the token does not meet. A demand that is there but `undefined`, as untyped callers may pass
 * it, is met by no token: it must not read as the absence of a demand.
 */
export function unmetExpectation(token: VerifiedToken, expected: Expectations): RejectionReason | undefined {
  if ('businessId' in expected && !isOfBusiness(token, expected.businessId)) return 'wrong_business'
  if ('scopes' in expected && !hasScopes(token, expected.scopes)) return 'insufficient_scope'
  return undefined
}

function isOfBusiness({ claims }: VerifiedToken, businessId: string | undefined): boolean {
  return businessId !== undefined && claims.business_id === businessId
}

function hasScopes(token: VerifiedToken, scopes: readonly string[] | undefined): boolean {
  return Array.isArray(scopes) && scopes.every((scope) => token.scopes.includes(scope))
}
