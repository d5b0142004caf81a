/** How an entry of the log came to be in force: applied by, or lapsed at, everyone who may decide. */
export interface InForce {
  /** Attached verifiers, and other nodes, that had applied it. */
  readonly applied: number
  /** Those whose leases had to end, or which left, without having said that they had applied it. */
  readonly waitedOut: number
  readonly waitedMs: number
}
