import type { InForce } from '@rescind/protocol'

/**
 * What an answer says of how its revocation came to be in force: how many had applied it, how many leases had to end,
 * and how long it took until it was durable and from then on until it was in force.
 *
 * @param tookMs for both together
 */
export function inForceHeaders({ applied, waitedOut, waitedMs }: InForce, tookMs: number) {
  const commitMs = Math.max(0, tookMs - waitedMs)
  return {
    'rescind-applied': `${applied}`,
    'rescind-waited-out': `${waitedOut}`,
    'server-timing': `commit;dur=${commitMs.toFixed(3)}, enforce;dur=${waitedMs.toFixed(3)}`,
  }
}
