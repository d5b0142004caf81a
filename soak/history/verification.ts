import { REJECTION_REASONS } from '@rescind/protocol'
import { UNDECIDED_REASONS, type Verdict } from '@rescind/verifier'

/** One verification that came to its end. Moments are in nanoseconds since the run began. */
export interface Verification {
  /** Number of the token in the run. */
  readonly token: number
  /** Read before the call was made. */
  readonly beganNs: number
  /** Read after it had settled. */
  readonly endedNs: number
  readonly outcome: Outcome
}

/** What came of a verification, without what the token says. */
export interface Outcome {
  readonly status: Verdict['status']
  /** `null` of what is valid. */
  readonly reason: string | null
}

const REASONS_OF_REJECTIONS = [...REJECTION_REASONS, 'no_credential'] as const

/** Every outcome there is; a record holds the place in this list. */
export const OUTCOMES: readonly Outcome[] = [
  { status: 'valid', reason: null },
  ...REASONS_OF_REJECTIONS.map((reason) => ({ status: 'rejected', reason }) as const),
  ...UNDECIDED_REASONS.map((reason) => ({ status: 'undecided', reason }) as const),
]

const PLACES = new Map(OUTCOMES.map(({ status, reason }, place) => [`${status} ${reason}`, place]))

/**
 * The place of a verdict in {@link OUTCOMES}.
 *
 * @throws Error when it has none
 */
export function outcomePlace(verdict: Verdict): number {
  const place = verdict.status === 'valid' ? 0 : PLACES.get(`${verdict.status} ${verdict.reason}`)
  if (place === undefined) throw new Error(`A verdict that is not in the list: ${verdict.status}`)
  return place
}
