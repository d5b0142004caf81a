import { leaseEndMs } from '@rescind/protocol'
import type { NodeRecord } from '../storage/storage.ts'

/**
 * When each other node was last seen to renew, on the monotonic clock of this one. A node whose counter stood still for
 * the whole lease of its row has ended, and so has every lease it granted.
 */
export type Sightings = ReadonlyMap<string, Sighting>

interface Sighting {
  readonly renewals: number
  readonly endsMs: number
}

/**
 * What is known after the members were read, and who has ended. Pure.
 *
 * @param time before the members were asked for, and after they were read: a node is seen from then on, and has ended
 *   only if it had when it was asked about
 */
export function sight(
  sightings: Sightings,
  members: readonly NodeRecord[],
  selfId: string,
  { askedMs, readMs }: { readonly askedMs: number; readonly readMs: number },
): { readonly sightings: Sightings; readonly ended: readonly NodeRecord[] } {
  const next = new Map<string, Sighting>()
  const ended: NodeRecord[] = []
  for (const member of members) {
    const { nodeId, renewals, leaseMs } = member
    if (nodeId === selfId) continue
    const known = sightings.get(nodeId)
    const sighting = known?.renewals === renewals ? known : { renewals, endsMs: leaseEndMs(readMs, leaseMs) }
    next.set(nodeId, sighting)
    if (sighting.endsMs <= askedMs) ended.push(member)
  }
  return { sightings: next, ended }
}
