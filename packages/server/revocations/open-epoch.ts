import type { Clock } from '@rescind/protocol'
import type { Membership } from '../storage/storage.ts'
import type { Refused, Write } from '../storage/write.ts'

interface Deps {
  readonly membership: Pick<Membership, 'join' | 'announceGrants'>
  readonly clock: Clock
  /** A new UUID v4. */
  readonly newUuid: () => string
  /** No lease of any node that there was is longer. */
  readonly longestLeaseMs: number
}

export interface OpenedEpoch {
  readonly epoch: string
  readonly formerEpoch: string
  /** The log knows of the tokens of the former epoch with an index below this. */
  readonly beforeIdx: number
  readonly seq: number
}

/** How far the index counter is moved ahead at least: a thousandth of all the indexes that there are. */
const LEAST_STEP = 2 ** 43
/** One of so many multiples of this is added. */
const STRIDE = 2 ** 32
const STRIDES = 2 ** 13

/**
 * Goes on with a log that was put back from an older copy, or has lost its end: under a new epoch, so that whoever has
 * seen more of it can tell. Nobody may be deciding from this database meanwhile.
 *
 * What was lost with the end of the log is not known, so three things are seen to. Tokens that were issued in it cannot be
 * revoked any more, and are refused: they name the former epoch, with an index that the counter has not reached. Verifiers
 * that saw their revocations keep those, and a cut-off covers whatever is below it: so the counter moves to where no index
 * was ever given out. And whoever decides by a lease from a process whose row was lost is counted among the members, as
 * long as any lease can be.
 *
 * @throws RangeError when the indexes are used up
 */
export async function openEpoch(deps: Deps, write: Write): Promise<OpenedEpoch | Refused> {
  const { membership, clock, newUuid, longestLeaseMs } = deps
  const lostHolders = newUuid()
  await membership.join({ nodeId: lostHolders, leaseMs: longestLeaseMs })
  await membership.announceGrants(lostHolders)
  return write(async (tx, audit) => {
    const epoch = newUuid()
    const { epoch: formerEpoch } = await tx.head()
    const beforeIdx = await tx.nextIdx()
    await tx.skipIdxs(stepTo(epoch, beforeIdx))
    const { seq } = await tx.appendEntry({ kind: 'epoch_opened', epoch, beforeIdx }, clock.nowMs())
    await audit('epoch.opened', { businessId: null, id: epoch })
    return { epoch, formerEpoch, beforeIdx, seq }
  })
}

/**
 * Beyond every index that may have been given out since the copy was made. When one copy is put back twice, each time
 * something has been lost that the other does not know: so the step is drawn by chance, from the epoch, which is random.
 */
function stepTo(epoch: string, nextIdx: number): number {
  const step = LEAST_STEP + STRIDE * (Number.parseInt(epoch.slice(0, 8), 16) % STRIDES)
  if (!Number.isSafeInteger(nextIdx + step)) throw new RangeError('The index counter has no room for another epoch.')
  return step
}
