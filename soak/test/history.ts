import type { Attempt, Ending, KnownToken, RunHistory, VerifierHistory } from '../history/run-history.ts'
import type { Outcome, Verification } from '../history/verification.ts'

/** Short ways to write histories down. Moments are small numbers. */

export const VALID: Outcome = { status: 'valid', reason: null }
export const REVOKED: Outcome = { status: 'rejected', reason: 'revoked' }
export const LAPSED: Outcome = { status: 'undecided', reason: 'lapsed' }

export function rejected(reason: string): Outcome {
  return { status: 'rejected', reason }
}

export function verified(token: number, beganNs: number, endedNs: number, outcome: Outcome): Verification {
  return { token, beganNs, endedNs, outcome }
}

/** Issued from 0 to 10, to member `m` of business `b` unless others are named. */
export function issued(memberId = 'm', businessId = 'b'): KnownToken {
  return { issued: { sentNs: 0, answeredNs: 10, memberId, businessId } }
}

export function answered(sentNs: number, endedNs: number): Attempt {
  return { sentNs, endedNs, outcome: 'answered' }
}

/** The end of token 0. */
export function ended(...attempts: Attempt[]): Ending {
  return { target: { kind: 'token', token: 0 }, attempts }
}

export function history(verifications: readonly Verification[], more: Partial<RunHistory> = {}): RunHistory {
  return {
    tokens: [issued()],
    endings: [],
    faults: [],
    verifiers: [verifierHistory(verifications)],
    sweepFromNs: null,
    ...more,
  }
}

export function verifierHistory(
  verifications: readonly Verification[],
  more: Partial<VerifierHistory> = {},
): VerifierHistory {
  return { verifier: 0, incarnation: 0, decidesAlone: false, verifications, ...more }
}
