import type { Clock } from '@rescind/protocol'
import type { Refused, Write } from '../storage/write.ts'

/** The epoch that ended, and the one that began. */
export interface OpenedEpoch {
  readonly former: string
  /** Tokens that name the former epoch count only if their index is below. */
  readonly beforeIdx: number
  readonly epoch: string
  /** Of the last entry that is left of the history. */
  readonly lastSeq: number
}

/**
 * More indexes than anybody issues between a backup and its use. So many are left out, or a multiple of it that depends on
 * the epoch: no token is given an index that a lost one had, also when the same backup is used again. A verifier keeps no
 * bits where nothing is revoked, so they cost nothing.
 */
const IDXS_OF_AN_EPOCH = 2 ** 24

/**
 * Declares that a part of the history was lost, by putting an older copy in place or in a failover. Tokens that were
 * issued in it are refused from then on, by whoever applies the entry: nobody knows them, so nobody could revoke them. What
 * was revoked in it stays so for verifiers that saw it; the log does not know.
 */
export async function openEpoch(
  { clock, newUuid }: { readonly clock: Clock /** A new UUID v4. */; readonly newUuid: () => string },
  write: Write,
): Promise<OpenedEpoch | Refused> {
  return write(async (tx, audit) => {
    const { epoch: former, seq: lastSeq } = await tx.head()
    const beforeIdx = await tx.nextIdx()
    const epoch = newUuid()
    await tx.appendEntry({ kind: 'epoch_opened', epoch, beforeIdx }, clock.nowMs())
    await tx.skipIdxs(IDXS_OF_AN_EPOCH * (1 + Number.parseInt(epoch.slice(0, 5), 16)))
    await audit('epoch.opened', { businessId: null, id: epoch })
    return { former, beforeIdx, epoch, lastSeq }
  })
}
