import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { Unavailable } from '@rescind/protocol'
import { SimulatedInstallation } from './simulated-installation.ts'

let installation: SimulatedInstallation

beforeEach(async () => {
  installation = await SimulatedInstallation.create()
})

const UNAVAILABLE = { name: 'Unavailable', code: 'storage_unavailable' }

/** How a promise has settled, if it has. */
function watched(promise: Promise<unknown>): { state: string } {
  const seen = { state: 'waiting' }
  promise.then(
    () => {
      seen.state = 'resolved'
    },
    (error) => {
      seen.state = String(error.name)
    },
  )
  return seen
}

/** Takes the row of the head, and never ends. */
function holdHead(tx: { appendEntry: (body: { kind: 'key_retired'; kid: string }, atMs: number) => Promise<unknown> }) {
  return tx.appendEntry({ kind: 'key_retired', kid: 'x' }, 0).then(() => new Promise(() => {}))
}

test('a commit that is not durable when the database crashes is lost, and confirmed to nobody', async () => {
  const { database, scheduler } = installation
  database.behaviour = { ...database.behaviour, commitMs: [100, 101] }
  const { storage } = installation.connect()
  const issued = watched(storage.transact((tx) => installation.issue(tx)))
  await scheduler.runUntil(80)
  assert.equal(database.openTransactions, 1)
  database.crash(50)
  assert.equal(database.counters.db_commit_lost, 1)
  await scheduler.run()
  assert.equal(issued.state, 'Unavailable')
  assert.equal(database.tables.tokens.size, 0)
  const again = await installation.outcome(storage.transact((tx) => installation.issue(tx)))
  assert.equal(again.idx, 0)
})

test('a database that is down refuses everything, and is back after a while', async () => {
  const { database, scheduler } = installation
  const { storage } = installation.connect()
  database.crash(1_000)
  await assert.rejects(installation.outcome(storage.read.head()), UNAVAILABLE)
  await assert.rejects(installation.outcome(storage.membership.members()), UNAVAILABLE)
  await assert.rejects(installation.outcome(storage.transact((tx) => installation.issue(tx))), UNAVAILABLE)
  await scheduler.runUntil(1_001)
  assert.equal((await installation.outcome(storage.read.head())).seq, 0)
})

test('a crash ends the transactions that wait for a row', async () => {
  const { database, scheduler } = installation
  const holding = watched(installation.connect().storage.transact(holdHead))
  await scheduler.runUntil(10)
  const waiting = watched(installation.connect().storage.transact(holdHead))
  await scheduler.runUntil(20)
  database.crash(5)
  await scheduler.runUntil(30)
  assert.deepEqual([holding.state, waiting.state], ['waiting', 'Unavailable'])
  assert.equal(database.openTransactions, 0)
})

test('a commit whose answer is lost took effect, and whoever sent it is told after the timeout that it is in doubt', async () => {
  const { database, scheduler } = installation
  const { process, storage } = installation.connect()
  const issued = watched(
    storage.transact(async (tx) => {
      const token = await installation.issue(tx)
      database.partition(process, 'replies')
      return token
    }),
  )
  await scheduler.runUntil(database.behaviour.timeoutMs - 100)
  assert.equal(database.tables.tokens.size, 1)
  assert.equal(issued.state, 'waiting')
  await scheduler.run()
  assert.equal(issued.state, 'Unavailable')
  assert.equal(database.counters.db_in_doubt, 1)
})

test('a commit that never arrives has no effect, and its rows are free after a while', async () => {
  const { database, scheduler } = installation
  const { process, storage } = installation.connect()
  const issued = watched(
    storage.transact(async (tx) => {
      await installation.issue(tx)
      database.partition(process, 'requests')
    }),
  )
  await scheduler.run()
  assert.equal(issued.state, 'Unavailable')
  assert.equal(database.tables.tokens.size, 0)
  assert.equal(database.openTransactions, 0)
  assert.equal(database.counters.db_abandoned, 1)
  database.heal(process)
  await installation.outcome(storage.transact((tx) => installation.issue(tx)))
})

test('the transaction of a node that ended is rolled back, unless its commit was sent', async () => {
  const { database, scheduler } = installation
  const open = installation.connect()
  const holding = watched(open.storage.transact(holdHead))
  await scheduler.runUntil(10)
  open.process.end()
  const sent = installation.connect()
  const committing = watched(
    sent.storage.transact(async (tx) => {
      await installation.issue(tx)
      scheduler.after(0, () => sent.process.end())
    }),
  )
  await scheduler.run()
  assert.deepEqual([holding.state, committing.state], ['waiting', 'waiting'])
  assert.equal(database.openTransactions, 0)
  assert.equal(database.tables.tokens.size, 1)
  assert.equal(database.tables.entries.length, 0)
})

test('no answer comes before its node has been given the entries of the commit', async () => {
  const { database, start } = installation
  const { storage } = installation.connect()
  let applied = 0
  await installation.outcome(
    storage.follow(start, (entries) => {
      applied = entries.at(-1)?.seq ?? applied
    }),
  )
  const appended = storage.transact((tx) => tx.appendEntry({ kind: 'key_retired', kid: 'x' }, 0)).then(() => applied)
  assert.equal(await installation.outcome(appended), 1)
  assert.equal(database.tables.entries.length, 1)
})

test('without a standby a commit is confirmed late, and then with a warning: it can be seen, and counts for nobody', async () => {
  const { database, scheduler } = installation
  const { storage } = installation.connect()
  database.loseStandby(60_000)
  const appended = watched(storage.transact((tx) => tx.appendEntry({ kind: 'key_retired', kid: 'x' }, 0)))
  await scheduler.runUntil(200)
  assert.deepEqual([database.tables.entries.length, appended.state], [0, 'waiting'])
  await scheduler.runUntil(database.behaviour.timeoutMs)
  assert.deepEqual([database.tables.entries.length, appended.state], [1, 'Unavailable'])
  assert.equal(database.durableSeq, 0)
  assert.equal(database.counters.db_unconfirmed, 1)
  // Who finds it there has a lock, and so something to be confirmed.
  await assert.rejects(installation.outcome(storage.transact((tx) => tx.lockTarget({ kind: 'key', kid: 'x' }))))
  await scheduler.runUntil(60_001)
  assert.equal(database.durableSeq, 1)
  await installation.outcome(storage.transact((tx) => tx.lockTarget({ kind: 'key', kid: 'x' })))
})

test('a renewal that no standby confirms is none', async () => {
  const { database } = installation
  const { storage } = installation.connect()
  const nodeId = installation.random.uuid()
  await installation.outcome(storage.membership.join({ nodeId, leaseMs: 2_000 }))
  database.loseStandby(60_000)
  await assert.rejects(installation.outcome(storage.membership.renew(nodeId, 0)), UNAVAILABLE)
})

test('a failover keeps what was confirmed, and loses what the former primary shows from then on', async () => {
  const { database, scheduler } = installation
  const { storage } = installation.connect()
  const append = () => storage.transact((tx) => tx.appendEntry({ kind: 'key_retired', kid: 'x' }, 0))
  const lost: number[] = []
  database.onLost = ({ seq }) => lost.push(seq)
  await installation.outcome(append())
  database.failOver(10, 10_000)
  const later = watched(append())
  await scheduler.runUntil(scheduler.nowMs + 3_000)
  assert.equal(later.state, 'Unavailable')
  assert.deepEqual([database.tables.entries.length, lost], [1, [2]])
  await scheduler.runUntil(scheduler.nowMs + 10_000)
  assert.equal((await installation.outcome(append())).seq, 2)
  assert.equal(database.openTransactions, 0)
})

test('a commit in doubt survives a failover, or does not, and is confirmed to nobody', async () => {
  const outcomes = new Set<number>()
  for (let seed = 1; seed <= 10; seed++) {
    const world = await SimulatedInstallation.create(seed)
    const { database, scheduler } = world
    database.behaviour = { ...database.behaviour, commitMs: [100, 101] }
    const { storage } = world.connect()
    const issued = watched(storage.transact((tx) => tx.appendEntry({ kind: 'key_retired', kid: 'x' }, 0)))
    await scheduler.runUntil(80)
    database.failOver(10, 10_000)
    await scheduler.runUntil(10_100)
    assert.equal(issued.state, 'Unavailable')
    outcomes.add(database.tables.entries.length)
  }
  assert.deepEqual([...outcomes].sort(), [0, 1])
})

test('a node that has followed what a failover lost fails, and neither renews nor writes', async () => {
  const { database, scheduler, start } = installation
  const { storage } = installation.connect()
  const nodeId = installation.random.uuid()
  await installation.outcome(storage.membership.join({ nodeId, leaseMs: 2_000 }))
  await installation.outcome(storage.follow(start, () => {}))
  const append = (to: typeof storage, kid: string) =>
    to.transact((tx) => tx.appendEntry({ kind: 'key_retired', kid }, 0))
  database.failOver(10, 4_000)
  await assert.rejects(installation.outcome(append(storage, 'x')), UNAVAILABLE)
  await scheduler.runUntil(scheduler.nowMs + 4_000)
  await installation.outcome(append(database.direct, 'y'))
  await assert.rejects(installation.outcome(storage.membership.renew(nodeId, 0)))
  assert.equal((await installation.outcome(storage.failed)).code, 'storage_unavailable')
})

test('whoever listens is told of what others append, until the connection breaks, and looks again when it is back', async () => {
  const { database, scheduler, start } = installation
  database.notifies = true
  const { storage } = installation.connect()
  let applied = 0
  await installation.outcome(
    storage.follow(start, (entries) => {
      applied = entries.at(-1)?.seq ?? applied
    }),
  )
  const append = () => database.direct.transact((tx) => tx.appendEntry({ kind: 'key_retired', kid: 'x' }, 0))
  await append()
  await scheduler.runUntil(scheduler.nowMs + 10)
  assert.equal(applied, 1)
  database.behaviour = { ...database.behaviour, notificationLossChance: 1 }
  await append()
  await scheduler.runUntil(scheduler.nowMs + 10)
  assert.equal(applied, 1)
  assert.equal(database.counters.db_notifications_lost, 1)
  await scheduler.runUntil(scheduler.nowMs + 300)
  assert.equal(applied, 2)
})

test('storage that cannot be reached says so after the timeout, and never before', async () => {
  const { database, scheduler } = installation
  const { process, storage } = installation.connect()
  database.partition(process)
  await assert.rejects(installation.outcome(storage.read.head()), Unavailable)
  assert.equal(scheduler.nowMs, database.behaviour.timeoutMs)
})
