import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { writeOffline } from '../../access/write-as.ts'
import { offlineActor } from '../../offline-actor.ts'
import { type OpenedEpoch, openEpoch } from '../../revocations/open-epoch.ts'
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'
import type { Storage } from '../../storage/storage.ts'
import { installation, issue, NOW_MS, settle } from '../storage/fixtures.ts'

const clock = { nowMs: () => NOW_MS }

let dataDir: string
let storage: Storage

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'rescind-epoch-'))
  storage = await openSqlite({ dataDir, clock })
})
afterEach(async () => {
  await storage.close()
  await rm(dataDir, { recursive: true })
})

async function open(newUuid: () => string = randomUUID): Promise<OpenedEpoch> {
  const write = writeOffline({ storage, clock, newId: randomUUID }, offlineActor(installation))
  const opened = await openEpoch({ membership: storage.membership, clock, newUuid, longestLeaseMs: 300_000 }, write)
  assert.ok(!('refused' in opened))
  return opened
}

test('a new epoch knows of the tokens that are stored, and gives out no index that the lost end of the log can have used', async () => {
  const world = await settle(storage)
  const before = await storage.transact((tx) => issue(tx, world))
  const opened = await open()
  assert.equal(opened.formerEpoch, installation.epoch)
  assert.equal(opened.beforeIdx, before.idx + 1)
  assert.equal((await storage.read.head()).epoch, opened.epoch)
  const after = await storage.transact((tx) => issue(tx, world))
  assert.ok(after.idx >= before.idx + 2 ** 43)
})

test('epochs opened from the same copy give out different indexes, a thousand times after each other', async () => {
  await settle(storage)
  const { beforeIdx } = await open(() => randomUUID().replace(/^.{8}/, '00000000'))
  const first = await storage.transact((tx) => tx.nextIdx())
  assert.equal(first, beforeIdx + 2 ** 43)
  await open(() => randomUUID().replace(/^.{8}/, '00000001'))
  assert.equal(await storage.transact((tx) => tx.nextIdx()), first + 2 ** 43 + 2 ** 32)
  for (let n = 2; n < 1023; n++) await open(() => randomUUID().replace(/^.{8}/, '00000000'))
  await assert.rejects(
    open(() => randomUUID().replace(/^.{8}/, '00000000')),
    /no room for another epoch/,
  )
})

test('whoever decides by a lease that is not known is a member from before the entry, as long as any lease lasts', async () => {
  await settle(storage)
  await storage.membership.join({ nodeId: 'a', leaseMs: 2_000 })
  await storage.membership.announceGrants('a')
  const seen: string[][] = []
  const { membership } = storage
  const transact = storage.transact.bind(storage)
  storage.transact = async (unit) => {
    seen.push((await membership.members()).map(({ leaseMs }) => `${leaseMs}`))
    return transact(unit)
  }
  await open()
  assert.deepEqual(seen, [['2000', '300000']])
  await storage.close()
  storage = await openSqlite({ dataDir, clock })
  assert.deepEqual((await storage.membership.members()).map(({ leaseMs }) => leaseMs).sort(), [2_000, 300_000])
})

test('opening an epoch is on record', async () => {
  await settle(storage)
  const { epoch, seq } = await open()
  const [entry] = await storage.read.entriesAfter(seq - 1, 1)
  assert.deepEqual(entry?.body, { kind: 'epoch_opened', epoch, beforeIdx: 0 })
})
