import { bearerToken, isOperatorScope } from '@rescind/protocol'
import type { Standing } from '../storage/storage.ts'
import type { Authentication, AuthenticationFailure } from './authentication.ts'
import type { CheckedToken, CheckToken } from './check-token.ts'
import type { Principal } from './principal.ts'
import { roleAllows } from './roles.ts'

/**
 * Authenticates requests to the service's own API.
 *
 * @returns a function from the values of all `Authorization` headers of a request
 */
export function createAuthenticate(check: CheckToken): (authorization: readonly string[]) => Promise<Authentication> {
  const principals = new WeakMap<Standing, Principal>()
  return async (authorization) => {
    const [header] = authorization
    if (header === undefined) return { rejected: 'no_credential', presented: false }
    if (authorization.length > 1) return rejected('several_credentials')
    if (header === '') return { rejected: 'no_credential', presented: false }
    const token = bearerToken(header)
    if (token === undefined) return rejected('not_bearer')

    const verdict = await check(token)
    if (verdict.status === 'undecided') return { unavailable: 'may_not_decide' }
    if (verdict.status === 'rejected') return rejected(verdict.reason, verdict.tokenId)
    // A standing is of one token, and is another object once anything about it may have changed.
    const principal = principals.get(verdict.standing) ?? principalOf(verdict)
    principals.set(verdict.standing, principal)
    return { principal }
  }
}

function rejected(reason: AuthenticationFailure, tokenId?: string): Authentication {
  return { rejected: reason, presented: true, ...(tokenId !== undefined && { tokenId }) }
}

function principalOf({ token, standing }: CheckedToken): Principal {
  const { tokenId, businessId, userId, role, email } = standing
  const holder = { tokenId, idx: token.claims.status.status_list.idx, userId, email: email ?? '' }
  if (businessId === null || role === null) {
    return { ...holder, kind: 'operator', scopes: new Set(token.scopes.filter(isOperatorScope)) }
  }
  const scopes = new Set(token.scopes.filter((scope) => roleAllows(role, scope)))
  return { ...holder, kind: 'member', scopes, businessId, role }
}
