import type { Authentication } from '../access/authentication.ts'
import type { Principal } from '../access/principal.ts'
import type { Exchange } from './exchange.ts'

type Rejection = Extract<Authentication, { rejected: unknown }>

const NO_CREDENTIAL = { 'www-authenticate': 'Bearer realm="rescind"' }
const INVALID_TOKEN = { 'www-authenticate': 'Bearer realm="rescind", error="invalid_token"' }

/** Who is asking; `undefined` when that is not known and the exchange has been answered. */
export function admit(exchange: Exchange, authentication: Authentication): Principal | undefined {
  if ('unavailable' in authentication) exchange.refuse(authentication.unavailable)
  else if ('rejected' in authentication) refuseUnauthenticated(exchange, authentication)
  else {
    exchange.tokenId = authentication.principal.tokenId
    return authentication.principal
  }
  return undefined
}

/** One body whatever the reason, and one challenge (RFC 6750 section 3); the reason goes to the log. */
export function refuseUnauthenticated(exchange: Exchange, { rejected, presented, tokenId }: Rejection): void {
  exchange.reason = rejected
  if (tokenId !== undefined) exchange.tokenId = tokenId
  exchange.refuse('not_authenticated', presented ? INVALID_TOKEN : NO_CREDENTIAL)
}
