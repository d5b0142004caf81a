import { randomUUID } from 'node:crypto'
import { bearerToken } from '@rescind/protocol'
import type { Verifier } from '../../index.ts'
import { claimsOf, createSigner, type Installation, installation, join, NOW_SEC, segmentsOf } from '../mint.ts'

export const BUSINESS_ID = randomUUID()
export const USER_ID = randomUUID()

/** Index of the token that is revoked from the beginning. */
const REVOKED = 1

/** Tokens by what there is to say of them, and their verification with the clock and the lease in the hands of the test. */
export interface TokenWorld {
  /** `reports:read` in {@link BUSINESS_ID}. */
  readonly good: string
  readonly revoked: string
  readonly expired: string
  readonly forged: string
  /** Good, without the scope. */
  readonly scopeless: string
  /** Good, and of another business. */
  readonly elsewhere: string
  /** Good, of another business, without the scope. */
  readonly stray: string
  /** Good, and of no business. */
  readonly operators: string
  /** Id of the record of all of them. */
  readonly tokenId: string
  readonly state: Installation
  readonly verifier: Pick<Verifier, 'verify'>
}

export function tokenWorld(): TokenWorld {
  const signer = createSigner()
  const state = installation([signer])
  state.log({ kind: 'token_revoked', idx: REVOKED })
  const tokenId = randomUUID()
  const claims = { client_id: tokenId, sub: USER_ID, business_id: BUSINESS_ID, scope: 'reports:read' }
  const mint = (changes: Parameters<typeof claimsOf>[0]) => signer.mint(claimsOf({ ...claims, ...changes }))
  const good = mint({})
  const [header, payload] = segmentsOf(good)
  const { business_id: _, ...ofNoBusiness } = claimsOf(claims)
  return {
    good,
    revoked: mint({ idx: REVOKED }),
    expired: mint({ exp: NOW_SEC }),
    forged: join(header, payload, segmentsOf(createSigner().mint(claimsOf()))[2]),
    scopeless: mint({ scope: 'reports:write' }),
    elsewhere: mint({ business_id: randomUUID() }),
    stray: mint({ business_id: randomUUID(), scope: 'reports:write' }),
    operators: signer.mint(ofNoBusiness),
    tokenId,
    state,
    verifier: {
      verify: async (credential) => {
        const presented = String(credential)
        const verdict = state.verifier.verify(bearerToken(presented) ?? presented)
        return verdict.status === 'undecided' ? { status: 'undecided', reason: 'lapsed' } : verdict
      },
    },
  }
}
