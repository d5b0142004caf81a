import type { Revocation } from './demo-state.ts'

/** What became of a revocation, as far as the verifiers have told. */
export interface Judgement {
  /** Verifiers that accepted the token in a verification that began after the 201 had arrived. There must be none. */
  readonly acceptedLater: readonly number[]
  /** Verifiers that refused the token before it was to be revoked. There must be none. */
  readonly refusedEarlier: readonly number[]
  /** Verifiers that have refused it. */
  readonly refused: number
  /** When the last of those that were not asleep refused it, in milliseconds from the request on. */
  readonly refusedWithinMs: number | null
  /** Verifiers that refused it when they woke. */
  readonly refusedOnWaking: number
  /** When the last verification that accepted it began, in milliseconds from the request on. */
  readonly lastAcceptMs: number | null
}

/** Compares what the verifiers recorded with when the request was sent and answered. */
export function judgeRevocation({ sentMs, answered, seen }: Revocation): Judgement {
  const answeredMs = answered?.atMs ?? Number.POSITIVE_INFINITY
  const numbers = seen.map((_, index) => index + 1)
  const lastAccept = (verifier: number) => seen[verifier - 1]?.lastAcceptBeganMs ?? Number.NEGATIVE_INFINITY
  const firstRefused = (verifier: number) => seen[verifier - 1]?.firstRefusedMs ?? Number.POSITIVE_INFINITY
  const refused = numbers.filter((verifier) => firstRefused(verifier) < Number.POSITIVE_INFINITY)
  const awake = refused.filter((verifier) => seen[verifier - 1]?.refusedAfterWakingMs === null)
  return {
    acceptedLater: numbers.filter((verifier) => lastAccept(verifier) > answeredMs),
    refusedEarlier: numbers.filter((verifier) => firstRefused(verifier) < sentMs),
    refused: refused.length,
    refusedWithinMs: finite(Math.max(...awake.map(firstRefused)) - sentMs),
    refusedOnWaking: refused.length - awake.length,
    lastAcceptMs: finite(Math.max(...numbers.map(lastAccept)) - sentMs),
  }
}

/** Whether a guarantee of the service was broken by any of them. */
export function isBroken(revocations: readonly Revocation[]): boolean {
  return revocations
    .map(judgeRevocation)
    .some(({ acceptedLater, refusedEarlier }) => acceptedLater.length + refusedEarlier.length > 0)
}

function finite(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null
}
