/** How an entry of the log came to be in force: applied by, or lapsed at, everyone who may decide. */
export interface InForce {
  /** Attached verifiers, and other nodes, that had applied it. */
  readonly applied: number
  /** Those that could not be reached, and whose leases had to end. */
  readonly waitedOut: number
  readonly waitedMs: number
}
