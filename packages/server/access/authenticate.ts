import { isOperatorScope, type Verdict, type VerifiedToken } from '@rescind/protocol'
import type { Reads, Standing } from '../storage/storage.ts'
import type { Authentication, AuthenticationFailure } from './authentication.ts'
import type { Principal } from './principal.ts'
import { roleAllows } from './roles.ts'

/** The verifier, as far as authentication needs it. */
export interface TokenCheck {
  verify(token: string): Verdict | { readonly status: 'undecided' }
}

interface Deps {
  readonly verifier: TokenCheck
  readonly read: Pick<Reads, 'standing'>
  /** Called for every token that was accepted. */
  readonly noteUse: (idx: number) => void
}

/**
 * Authenticates requests to the service's own API: the token itself, and then what the database says of its holder now.
 * The verifier has the last word: it is asked again after the database was, so that a lease that lapsed or a revocation
 * that was applied meanwhile counts.
 *
 * @returns a function from the values of all `Authorization` headers of a request
 */
export function createAuthenticate(deps: Deps): (authorization: readonly string[]) => Promise<Authentication> {
  return async (authorization) => {
    const [header] = authorization
    if (header === undefined) return { rejected: 'no_credential', presented: false }
    if (authorization.length > 1) return rejected('several_credentials')
    if (header === '') return { rejected: 'no_credential', presented: false }
    const token = bearerToken(header)
    if (token === undefined) return rejected('not_bearer')

    const early = deps.verifier.verify(token)
    if (early.status === 'undecided') return { unavailable: 'may_not_decide' }
    if (early.status === 'rejected') return rejected(early.reason, early.tokenId)
    const standing = await deps.read.standing(early.token.claims.status.status_list.idx)
    const verdict = deps.verifier.verify(token)
    if (verdict.status === 'undecided') return { unavailable: 'may_not_decide' }
    if (verdict.status === 'rejected') return rejected(verdict.reason, verdict.tokenId)

    const tokenId = verdict.token.claims.client_id
    if (standing === undefined || standing.jti !== verdict.token.claims.jti) return rejected('unknown_token', tokenId)
    if (standing.revoked) return rejected('revoked', tokenId)
    const principal = principalOf(verdict.token, standing)
    if (principal === undefined) return rejected('revoked', tokenId)
    deps.noteUse(principal.idx)
    return { principal }
  }
}

function rejected(reason: AuthenticationFailure, tokenId?: string): Authentication {
  return { rejected: reason, presented: true, ...(tokenId !== undefined && { tokenId }) }
}

const BEARER = /^bearer +(?=[^ ])/i

/** The token of an RFC 6750 `Authorization` header, or `undefined` for another scheme. */
function bearerToken(header: string): string | undefined {
  const scheme = BEARER.exec(header)
  return scheme === null ? undefined : header.slice(scheme[0].length)
}

/** `undefined` when the holder is no longer a member of the business. */
function principalOf(token: VerifiedToken, standing: Standing): Principal | undefined {
  const { tokenId, businessId, userId, role, email } = standing
  const idx = token.claims.status.status_list.idx
  if (businessId === null) {
    const scopes = new Set(token.scopes.filter(isOperatorScope))
    return { kind: 'operator', tokenId, idx, userId, email: email ?? '', scopes }
  }
  if (role === null || email === null) return undefined
  const scopes = new Set(token.scopes.filter((scope) => roleAllows(role, scope)))
  return { kind: 'member', tokenId, idx, userId, email, scopes, businessId, role }
}
