/** What a verifier process says of itself a few times a second. Times are {@link machineMs}. */
export interface VerifierReport {
  readonly atMs: number
  readonly checksPerSecond: number
  /** How long verifications took since the last report, in microseconds; `null` when there were none. */
  readonly medianUs: number | null
  readonly p99Us: number | null
  /** How much longer it would decide if the service were gone. */
  readonly leaseLeftMs: number
  /** Verdicts since it began. */
  readonly accepted: number
  readonly refused: number
  readonly undecided: number
  /** The token that is verified under load, and dead ones that are still tried. */
  readonly tokens: readonly TokenSeen[]
}

/** What a verifier process has seen of one token. */
export interface TokenSeen {
  /** Tokens are numbered as they are issued, from 1 on. */
  readonly token: number
  /** The last one. */
  readonly verdict: 'valid' | 'rejected' | 'undecided'
  /** When the last verification that accepted it began; `null` when none did. */
  readonly lastAcceptBeganMs: number | null
  /** When it was refused first; `null` when it was not. */
  readonly firstRefusedMs: number | null
}
