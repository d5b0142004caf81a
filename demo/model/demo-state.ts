import type { RevocationAnswer } from './demo-event.ts'
import type { TokenSeen, VerifierReport } from './verifier-report.ts'

/** All that the screen shows. */
export interface DemoState {
  /** Length of the leases of the service. */
  readonly leaseMs: number
  readonly isStarted: boolean
  /** The token that is verified under load, dead or alive; `null` before the first. */
  readonly token: number | null
  /** `null` while it runs. */
  readonly serviceFrozenMs: number | null
  readonly verifiers: readonly VerifierState[]
  /** Oldest first. */
  readonly revocations: readonly Revocation[]
}

export interface VerifierState {
  readonly verifier: number
  readonly report: VerifierReport | null
  /** `null` while it runs. */
  readonly frozenMs: number | null
  /** When it was woken last. */
  readonly wokenMs: number | null
}

export interface Revocation {
  readonly token: number
  readonly sentMs: number
  /** `null` until the 201 has arrived. */
  readonly answered: ({ readonly atMs: number } & RevocationAnswer) | null
  /** What each verifier has seen of the token, in their order. */
  readonly seen: readonly (Seen | undefined)[]
}

export interface Seen extends TokenSeen {
  /** When the verifier was frozen as the revocation was sent, or later: how long after waking it refused. */
  readonly refusedAfterWakingMs: number | null
}

export function initialState(verifiers: number, leaseMs: number): DemoState {
  return {
    leaseMs,
    isStarted: false,
    token: null,
    serviceFrozenMs: null,
    verifiers: Array.from({ length: verifiers }, (_, index) => ({
      verifier: index + 1,
      report: null,
      frozenMs: null,
      wokenMs: null,
    })),
    revocations: [],
  }
}
