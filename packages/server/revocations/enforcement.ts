import type { Position } from '@rescind/protocol'

/** Tells when a revocation is in force: applied by, or lapsed at, everyone who may decide. */
export interface Enforcement {
  /** Resolves once the entry `seq`, which is committed, is in force everywhere. An answer that confirms a revocation waits for this. */
  inForce(seq: number): Promise<void>
}

/**
 * Enforcement where the service's own verifier is the only one that decides. The storage delivers an entry to it before
 * the transaction that wrote the entry resolves, so there is nothing to wait for; anything else is a fault.
 */
export function createLocalEnforcement(verifier: { readonly position: Position }): Enforcement {
  return {
    inForce: async (seq) => {
      if (verifier.position.seq < seq) {
        throw new Error(`Entry ${seq} is committed, but this node has applied ${verifier.position.seq} only.`)
      }
    },
  }
}
