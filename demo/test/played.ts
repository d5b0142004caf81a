import type { DemoEvent } from '../model/demo-event.ts'
import { type DemoState, initialState } from '../model/demo-state.ts'
import { nextState } from '../model/next-state.ts'
import type { TokenSeen, VerifierReport } from '../model/verifier-report.ts'

/** The state of eight verifiers with leases of 5 s after these events. */
export function played(...events: readonly DemoEvent[]): DemoState {
  return events.reduce(nextState, initialState(8, 5_000))
}

/** A verifier tells of these tokens. */
export function reported(verifier: number, atMs: number, ...tokens: readonly TokenSeen[]): DemoEvent {
  const report: VerifierReport = {
    atMs,
    checksPerSecond: 12_345.6,
    medianUs: 1.44,
    p99Us: 123.4,
    leaseLeftMs: 3_000,
    accepted: 123_456_789,
    refused: 123_456_789,
    undecided: 0,
    tokens,
  }
  return { type: 'reported', verifier, report }
}

export function accepted(token: number, beganMs: number): TokenSeen {
  return { token, verdict: 'valid', lastAcceptBeganMs: beganMs, firstRefusedMs: null }
}

export function refused(token: number, lastAcceptBeganMs: number, firstRefusedMs: number): TokenSeen {
  return { token, verdict: 'rejected', lastAcceptBeganMs, firstRefusedMs }
}

/** Each of the eight tells of this. */
export function allReported(atMs: number, ...tokens: readonly TokenSeen[]): readonly DemoEvent[] {
  return Array.from({ length: 8 }, (_, index) => reported(index + 1, atMs, ...tokens))
}

/** Token 1 is revoked at 1,000 ms and answered at 1,003 ms. */
export const REVOKED: readonly DemoEvent[] = [
  { type: 'started' },
  { type: 'issued', token: 1 },
  ...allReported(900, accepted(1, 899)),
  { type: 'revoking', token: 1, atMs: 1_000 },
  { type: 'answered', token: 1, atMs: 1_003, answer: { applied: 8, waitedOut: 0 } },
]

/** Verifier 3 is frozen at 2,000 ms, token 2 revoked at 2,100 ms; the others refuse it at once, the 201 comes at 5,900 ms. */
export const REVOKED_WHILE_FROZEN: readonly DemoEvent[] = [
  ...REVOKED,
  ...allReported(1_010, refused(1, 1_000.5, 1_001.5)),
  { type: 'issued', token: 2 },
  ...allReported(1_990, accepted(2, 1_989), refused(1, 1_000.5, 1_001.5)),
  { type: 'frozen', process: 3, atMs: 2_000 },
  { type: 'revoking', token: 2, atMs: 2_100 },
  ...allReported(2_110, refused(2, 2_101, 2_102)).filter((_, index) => index !== 2),
  { type: 'answered', token: 2, atMs: 5_900, answer: { applied: 7, waitedOut: 1 } },
]
