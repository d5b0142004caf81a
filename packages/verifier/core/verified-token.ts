import { parseClaims, readToken, type VerifiedToken } from '@rescind/protocol'
import type { Epochs } from './epochs.ts'
import { type Rejected, reject } from './rejection.ts'

/** What the claims of a token must say for it to be one of this installation's. */
interface Home {
  /** Expected as `iss` and as `aud`. */
  readonly issuer: string
  /** The status lists that revocation indexes count in. */
  readonly epochs: Pick<Epochs, 'know'>
}

/**
 * Reads the payload of a token whose signature is good.
 *
 * @returns the token. All that a verdict depends on is frozen: one token is handed to many callers, and none of them may change what the next one gets.
 */
export function readVerifiedToken(payload: Uint8Array, kid: string, home: Home): VerifiedToken | Rejected {
  const claims = parseClaims(payload)
  if (claims === undefined) return reject('bad_claims')
  const isOurs = claims.iss === home.issuer && claims.aud === home.issuer && home.epochs.know(claims.status.status_list)
  if (!isOurs) return reject('wrong_issuer', claims.client_id)
  Object.freeze(claims.status.status_list)
  Object.freeze(claims.status)
  const verified = { ...readToken(claims), claims: Object.freeze(claims), kid }
  // Not for those who print or send what they were given.
  Object.defineProperties(verified, { claims: { enumerable: false }, kid: { enumerable: false } })
  return Object.freeze(verified)
}
