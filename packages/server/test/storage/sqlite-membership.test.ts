import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { Unavailable } from '@rescind/protocol'
import { migrate } from '../../storage/sqlite/migrations.ts'
import { PreparedStatements } from '../../storage/sqlite/prepared-statements.ts'
import { SqliteStorage } from '../../storage/sqlite/sqlite-storage.ts'
import { joinNode, NOW_MS, newBusiness, settle } from './fixtures.ts'

describe('a membership that one process keeps', () => {
  const clock = { nowMs: () => NOW_MS }
  let db: DatabaseSync
  let storage: SqliteStorage
  beforeEach(async () => {
    db = new DatabaseSync(':memory:')
    migrate(db, clock)
    storage = new SqliteStorage(db, { release: () => {} }, '', new PreparedStatements(db), clock)
    await settle(storage)
  })
  afterEach(() => storage.close())

  test('is as it was when the batch that would have changed it is undone', async () => {
    const nodeId = await joinNode(storage)
    const before = await storage.membership.members()
    const other = { nodeId: 'other', leaseMs: 2000 }
    const changes = [storage.membership.join(other), storage.membership.leave(nodeId)]
    const spoiler = storage.transact(async (tx) => {
      db.exec('PRAGMA query_only = ON')
      await tx.upsertBusiness(newBusiness()).catch(() => {})
      db.exec('PRAGMA query_only = OFF')
    })
    for (const outcome of await Promise.allSettled([...changes, spoiler])) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof Unavailable)
    }
    assert.deepEqual(await storage.membership.members(), before)
    assert.ok(await storage.membership.renew(nodeId, 0))
    await storage.membership.join(other)
    await storage.membership.leave(nodeId)
    assert.deepEqual(await storage.membership.members(), [{ ...other, renewals: 0, inForceSeq: 0 }])
  })

  test('is read while a unit runs, and shows what is committed', async () => {
    const nodeId = await joinNode(storage)
    const before = await storage.membership.members()
    const running = Promise.withResolvers<void>()
    const proceed = Promise.withResolvers<void>()
    const changes = [storage.membership.join({ nodeId: 'other', leaseMs: 2000 }), storage.membership.leave(nodeId)]
    const unit = storage.transact(async () => {
      running.resolve()
      await proceed.promise
    })
    await running.promise
    const meanwhile = await storage.membership.members()
    proceed.resolve()
    await Promise.all([unit, ...changes])
    assert.deepEqual(meanwhile, before)
    assert.deepEqual(await storage.membership.members(), [
      { nodeId: 'other', leaseMs: 2000, renewals: 0, inForceSeq: 0 },
    ])
  })

  test('forgets a node that ended without ever having granted a lease, and none that had', async () => {
    const granting = await joinNode(storage)
    await storage.membership.join({ nodeId: 'other', leaseMs: 2000 })
    const next = new SqliteStorage(db, { release: () => {} }, '', new PreparedStatements(db), clock)
    assert.deepEqual(
      (await next.membership.members()).map(({ nodeId }) => nodeId),
      [granting],
    )
  })

  test('writes nothing when a node renews, reports, or announces again that it grants', async () => {
    const nodeId = await joinNode(storage)
    const changes = () => db.prepare('SELECT total_changes() AS changes').get()?.changes
    const before = changes()
    await storage.membership.renew(nodeId, 0)
    await storage.membership.report(nodeId, 0)
    await storage.membership.announceGrants(nodeId)
    assert.equal(changes(), before)
  })
})
