import type { VerifierHistory } from '../history/run-history.ts'
import type { Verification } from '../history/verification.ts'
import type { TokenBounds } from './token-bounds.ts'
import type { ViolationKind } from './violation.ts'

/**
 * Judges the verifications of one process, one after the other, in the order in which they ended.
 *
 * @param bounds of every token, by number
 * @returns judges the next one: what it violates, or `undefined`
 */
export function verificationCheck(
  bounds: readonly TokenBounds[],
  { decidesAlone }: Pick<VerifierHistory, 'decidesAlone'>,
): (verification: Verification) => ViolationKind | undefined {
  /** When the first rejection as revoked ended, by token. */
  const rejectedNs = new Map<number, number>()
  let lastEndedNs = 0

  return ({ token, beganNs, endedNs, outcome }) => {
    const known = bounds[token]
    // In order, so that what ended first can be compared with what began later.
    const isPossible = known !== undefined && beganNs >= known.existsFromNs && endedNs >= beganNs
    if (!isPossible || endedNs < lastEndedNs) return 'impossible'
    lastEndedNs = endedNs
    if (outcome.status === 'valid') return accepted(token, known, beganNs)
    if (outcome.status === 'rejected') return rejected(token, known, beganNs, endedNs, outcome.reason)
    return undefined
  }

  function accepted(token: number, known: TokenBounds, beganNs: number): ViolationKind | undefined {
    if (known.goodFromNs === Number.POSITIVE_INFINITY) return 'accepted_unissued'
    if (beganNs > known.deadFromNs) return 'late_accept'
    return decidesAlone && beganNs > (rejectedNs.get(token) ?? Number.POSITIVE_INFINITY) ? 'taken_back' : undefined
  }

  function rejected(token: number, known: TokenBounds, beganNs: number, endedNs: number, reason: string | null) {
    if (beganNs < known.goodFromNs) return undefined
    if (endedNs < known.mayEndFromNs) return 'false_rejection'
    if (reason !== 'revoked') return 'wrong_reason'
    if (!rejectedNs.has(token)) rejectedNs.set(token, endedNs)
    return undefined
  }
}
