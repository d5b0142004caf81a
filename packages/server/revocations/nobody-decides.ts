import type { Timers } from '@rescind/protocol'
import type { Membership } from '../storage/storage.ts'
import { type Sightings, sight } from './other-nodes.ts'

interface Deps {
  readonly membership: Pick<Membership, 'members' | 'remove'>
  readonly monotonicMs: () => number
  readonly timers: Timers
}

const POLL_MS = 100

/**
 * Resolves with true when no node of the installation can decide any more, nor anybody who holds a lease from one: each
 * has left, or its renewals stood still for the whole lease of its row. Resolves with false as soon as one is seen to work.
 */
export async function nobodyDecides({ membership, monotonicMs, timers }: Deps): Promise<boolean> {
  let sightings: Sightings | undefined
  for (;;) {
    const askedMs = monotonicMs()
    const members = await membership.members()
    if (members.length === 0) return true
    const works = members.some(({ nodeId, renewals }) => sightings?.get(nodeId)?.renewals !== renewals)
    if (sightings !== undefined && works) return false
    const seen = sight(sightings ?? new Map(), members, '', { askedMs, readMs: monotonicMs() })
    for (const { nodeId, renewals } of seen.ended) await membership.remove(nodeId, renewals)
    sightings = seen.sightings
    if (seen.ended.length > 0) continue
    await new Promise<void>((resolve) => void timers.after(POLL_MS, resolve))
  }
}
