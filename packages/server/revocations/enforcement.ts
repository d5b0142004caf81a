import type { InForce } from '@rescind/protocol'

/** Tells when a revocation is in force: applied by, or lapsed at, everyone who may decide. */
export interface Enforcement {
  /**
   * Resolves once the entry `seq`, which is committed, is in force everywhere. An answer that confirms a revocation waits
   * for this.
   *
   * @throws Unavailable when this node cannot tell any more
   */
  inForce(seq: number): Promise<InForce>
}
