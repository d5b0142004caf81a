import { type ErrorCode, isUuid, type ManagementScope } from '@rescind/protocol'
import type { Principal } from './principal.ts'

/** What an operation asks of the caller. */
export interface Requirement {
  /** One of these, after the holder's role cut the token's scopes down. `operator` satisfies every operation but those that list operator scopes themselves. */
  readonly scopes: readonly ManagementScope[]
  /** Where the business comes from: the required header, the path (header optional for operators), or nowhere. */
  readonly business: 'header' | 'path' | 'none'
}

/** What a request names: `x-business-id` and the business in the path, as sent, and `x-user-email`. */
export interface Selection {
  readonly header: string | undefined
  readonly path: string | undefined
  readonly claimedEmail: string | null
}

export type Authorization = { readonly businessId: string | null } | { readonly refused: ErrorCode }

/** Decides, in the contract's order, whether the caller may attempt the operation: header 400, business 403, scope 403. */
export function authorize(principal: Principal, requirement: Requirement, selection: Selection): Authorization {
  const { header, path, claimedEmail } = selection
  if (header !== undefined && !isUuid(header)) return { refused: 'business_header_invalid' }
  // An operator who acts for a member has to say of which business; one who acts for itself belongs to none.
  const selects = principal.kind === 'member' || (requirement.business === 'header' && claimedEmail !== null)
  if (header === undefined && selects) return { refused: 'business_header_missing' }
  if (principal.kind === 'member') {
    if (header !== principal.businessId) return { refused: 'other_business' }
    if (requirement.business === 'path' && path !== undefined && isUuid(path) && path !== header) {
      return { refused: 'other_business' }
    }
  } else if (
    requirement.business === 'path' &&
    header !== undefined &&
    path !== undefined &&
    isUuid(path) &&
    header !== path
  ) {
    return { refused: 'business_header_mismatch' }
  }
  if (!permits(principal, requirement.scopes)) return { refused: 'scope_missing' }
  return { businessId: (requirement.business === 'path' ? path : header) ?? null }
}

/** Whether the caller's token may do one of these things. `operator` stands for every scope that members may delegate. */
export function permits(principal: Principal, scopes: readonly ManagementScope[]): boolean {
  if (scopes.some((scope) => principal.scopes.has(scope))) return true
  const delegable = !scopes.some((scope) => scope === 'introspect' || scope === 'feed')
  return principal.kind === 'operator' && delegable && principal.scopes.has('operator')
}
