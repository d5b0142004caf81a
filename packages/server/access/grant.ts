import { isOperatorScope } from '@rescind/protocol'
import type { Role } from '../storage/storage.ts'
import type { Refused } from '../storage/write.ts'
import type { Principal } from './principal.ts'
import { delegableScopes, roleAllows } from './roles.ts'

export type Grant = { readonly scopes: readonly string[] } | Refused

/**
 * Decides the scopes of a new token: never more than its creator may grant, nor than its holder's role may use.
 *
 * @param holderRole current role of the member who will hold the token; `null` when an operator issues one of its own
 * @param requested the scopes asked for; `undefined` for everything the creator may grant
 */
export function grantScopes(
  creator: Principal,
  holderRole: Role | null,
  requested: readonly string[] | undefined,
): Grant {
  const scopes = requested ? [...new Set(requested)] : everything(creator, holderRole)
  if (creator.kind === 'member' && scopes.some(isOperatorScope)) return { refused: 'scope_operator_only' }
  return scopes.every((scope) => mayGrant(creator, holderRole, scope)) ? { scopes } : { refused: 'scope_not_held' }
}

function mayGrant(creator: Principal, holderRole: Role | null, scope: string): boolean {
  if (holderRole === null) return isOperatorScope(scope) && creator.scopes.has(scope)
  if (!roleAllows(holderRole, scope)) return false
  if (creator.kind === 'operator' && !isOperatorScope(scope)) return true
  return creator.scopes.has(scope)
}

function everything(creator: Principal, holderRole: Role | null): string[] {
  if (holderRole === null) return [...creator.scopes].filter(isOperatorScope)
  if (creator.kind === 'operator') return delegableScopes(holderRole)
  return [...creator.scopes].filter((scope) => !isOperatorScope(scope) && roleAllows(holderRole, scope))
}
