import { afterEach, beforeEach, describe } from 'node:test'
import { describeEntries } from './conformance/entries.ts'
import { describeEpochs } from './conformance/epochs.ts'
import { describeFollower } from './conformance/follower.ts'
import { describeLists } from './conformance/lists.ts'
import { describeMembership } from './conformance/membership.ts'
import { describeRecords } from './conformance/records.ts'
import { describeRenewals } from './conformance/renewals.ts'
import { describeRevocation } from './conformance/revocation.ts'
import { describeStanding } from './conformance/standing.ts'
import { describeStandingChanges } from './conformance/standing-changes.ts'
import { describeUnits } from './conformance/units.ts'
import { type Backend, ReopenableStorage } from './reopenable-storage.ts'

/** What every storage backend must guarantee, as tests, each on a backend of its own. */
export function describeStorage(name: string, createBackend: () => Promise<Backend>): void {
  describe(`storage on ${name}`, () => {
    let backend: Backend
    const storage = new ReopenableStorage(() => backend)
    beforeEach(async () => {
      backend = await createBackend()
      await storage.reopen()
    })
    afterEach(async () => {
      await storage.close()
      await backend.destroy()
    })

    describeRecords(storage)
    describeStanding(storage)
    describeStandingChanges(storage)
    describeUnits(storage)
    describeFollower(storage)
    describeRevocation(storage)
    describeLists(storage)
    describeEntries(storage)
    describeEpochs(storage)
    describeMembership(storage)
    describeRenewals(storage)
  })
}
