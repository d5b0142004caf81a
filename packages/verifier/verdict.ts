import type { RejectionReason, Token } from '@rescind/protocol'

/** Why nothing could be decided about a token. A closed list. None of these says anything about the token. */
export const UNDECIDED_REASONS = [
  /** No lease holds, and the verifier was told not to ask. */
  'lapsed',
  /** The service did not answer in time, or not at all. */
  'unreachable',
  /** The service answered that it cannot decide at the moment. */
  'unavailable',
  /** The service refused the verifier's own credential. */
  'refused',
  /** Too many questions wait for the service already. */
  'overloaded',
  /** The verifier was closed. */
  'closed',
] as const

export type UndecidedReason = (typeof UNDECIDED_REASONS)[number]

/**
 * What became of a verification. Expected outcomes are values: verifying never throws, whatever is presented.
 *
 * `rejected` is about the token: 401 for whoever presented it, or 403 when it is good and the reason is `wrong_business`
 * or `insufficient_scope`. `undecided` is not: answer 503, since 401 would make clients throw good tokens away.
 */
export type Verdict =
  | { readonly status: 'valid'; readonly token: Token }
  | {
      readonly status: 'rejected'
      /** `no_credential` when there was nothing to verify. */
      readonly reason: RejectionReason | 'no_credential'
      /** Id of the token's record, present once its signature was found good; safe to log. */
      readonly tokenId?: string
    }
  | { readonly status: 'undecided'; readonly reason: UndecidedReason }
