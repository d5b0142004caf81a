import { type Clock, LEASE_SECONDS } from '@rescind/protocol'
import { writeOffline } from './access/write-as.ts'
import { offlineActor } from './offline-actor.ts'
import { type OpenedEpoch, openEpoch } from './revocations/open-epoch.ts'
import { type Storage, StorageRefused } from './storage/storage.ts'

interface Deps {
  readonly clock: Clock
  /** A new UUID v7. */
  readonly newId: () => string
  /** A new UUID v4. */
  readonly newUuid: () => string
}

/** How long a service that was lost may have let verifiers decide: as long as any may. Which one it was is not known. */
export const LOST_LEASE_SECONDS = LEASE_SECONDS.most

/**
 * Opens a new epoch of the log in a database that was put back from an older copy.
 *
 * @throws StorageRefused when there is no installation in it
 */
export async function continueLog(storage: Storage, { clock, newId, newUuid }: Deps): Promise<OpenedEpoch> {
  const installation = await storage.read.installation()
  if (installation === undefined) throw new StorageRefused('There is no installation in this database.')
  const write = writeOffline({ storage, clock, newId }, offlineActor(installation))
  const deps = { membership: storage.membership, clock, newUuid, longestLeaseMs: LOST_LEASE_SECONDS * 1000 }
  const opened = await openEpoch(deps, write)
  if ('refused' in opened) throw new Error(`The new epoch was refused: ${opened.refused}`)
  return opened
}
