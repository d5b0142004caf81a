import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { continues, type Entry, positionAfter, Unavailable } from '@rescind/protocol'
import { endAllTokens } from '../../packages/server/revocations/revoke-all.ts'
import { endToken } from '../../packages/server/revocations/revoke-token.ts'
import type { Storage } from '../../packages/server/storage/storage.ts'
import { SimulatedInstallation } from './simulated-installation.ts'

const CAUSE = { atMs: 0, by: null, reason: null }

let installation: SimulatedInstallation

beforeEach(async () => {
  installation = await SimulatedInstallation.create()
})

function revoke(storage: Storage, idx: number) {
  return storage.transact((tx) => endToken(tx, idx, CAUSE))
}

/** A promise that the test resolves. */
function gate() {
  return Promise.withResolvers<void>()
}

test('the log stays dense and chained while many nodes append to it at once, and each is told in order before it answers', async () => {
  const { database, scheduler, start } = installation
  let head = start
  database.onCommit = ({ entries }) => {
    for (const entry of entries) {
      assert.ok(continues(head, entry))
      head = positionAfter(head, entry)
    }
  }
  const work = Array.from({ length: 4 }, async () => {
    const { storage } = installation.connect()
    let applied = 0
    await storage.follow(start, (entries) => {
      for (const { seq } of entries) assert.equal(seq, ++applied)
    })
    for (let round = 0; round < 20; round++) {
      const { idx } = await storage.transact((tx) => installation.issue(tx))
      const { seq } = await revoke(storage, idx)
      assert.ok(applied >= seq)
    }
  })
  await installation.outcome(Promise.all(work))
  assert.equal(database.tables.entries.length, 80)
  assert.deepEqual(
    [...database.tables.tokens.keys()],
    Array.from({ length: 80 }, (_, idx) => idx),
  )
  assert.ok(scheduler.steps > 1_000)
})

test('the same seed leads to the same commits', async () => {
  const run = async () => {
    const world = await SimulatedInstallation.create(7)
    const work = Array.from({ length: 3 }, async () => {
      const { storage } = world.connect()
      for (let round = 0; round < 10; round++) await storage.transact((tx) => world.issue(tx))
    })
    await world.outcome(Promise.all(work))
    return world.scheduler.hash
  }
  assert.equal(await run(), await run())
})

test('a transaction sees its own writes, and nobody else does before its commit', async () => {
  const { database } = installation
  const { storage } = installation.connect()
  const other = installation.connect().storage
  await installation.outcome(
    storage.transact(async (tx) => {
      const token = await installation.issue(tx)
      const entry = await tx.appendEntry({ kind: 'token_revoked', idx: token.idx }, 0)
      await tx.markRevoked(token.idx, { seq: entry.seq, ...CAUSE })
      assert.equal((await tx.standing(token.idx))?.revoked, true)
      assert.equal((await tx.head()).seq, 1)
      assert.equal(await tx.nextIdx(), 1)
      assert.equal(await other.read.standing(token.idx), undefined)
      assert.equal((await other.read.head()).seq, 0)
      assert.equal(database.tables.nextIdx, 0)
    }),
  )
  assert.equal((await installation.outcome(other.read.standing(0)))?.revoked, true)
})

test('nothing remains of a unit that throws, and its index is taken again', async () => {
  const { storage } = installation.connect()
  const broken = storage.transact(async (tx) => {
    await installation.issue(tx)
    throw new Error('broken')
  })
  await assert.rejects(installation.outcome(broken), /broken/)
  assert.equal((await installation.outcome(storage.transact((tx) => installation.issue(tx)))).idx, 0)
})

test('a bulk revocation waits for tokens of its subject that are being issued, and covers them', async () => {
  const { holder } = installation
  const target = { kind: 'member', businessId: holder.businessId, userId: holder.userId } as const
  const issuing = gate()
  const issued = installation.connect().storage.transact(async (tx) => {
    const token = await installation.issue(tx)
    issuing.resolve()
    for (let look = 0; look < 20; look++) await tx.head()
    return token
  })
  const revoked = issuing.promise.then(() =>
    installation.connect().storage.transact((tx) => endAllTokens(tx, target, CAUSE)),
  )
  const [{ idx }] = await installation.outcome(Promise.all([issued, revoked]))
  const { storage } = installation.connect()
  assert.equal((await installation.outcome(storage.read.standing(idx)))?.revoked, true)
  const later = await installation.outcome(storage.transact((tx) => installation.issue(tx)))
  assert.equal((await installation.outcome(storage.read.standing(later.idx)))?.revoked, false)
})

test('those who issue share their locks, on rows that are not there as well', async () => {
  const { holder } = installation
  const absent = { ...holder, userId: 'nobody' }
  const [held, released] = [gate(), gate()]
  const one = installation.connect().storage.transact(async (tx) => {
    await tx.lockHolder(holder)
    await tx.lockHolder(absent)
    held.resolve()
    await released.promise
  })
  const other = installation.connect().storage.transact(async (tx) => {
    await held.promise
    await tx.lockHolder(holder)
    await tx.lockHolder(absent)
    released.resolve()
  })
  await installation.outcome(Promise.all([one, other]))
})

test('a transaction that would wait for itself, or too long for another, is ended', async () => {
  const { database, holder } = installation
  const business = { kind: 'business', businessId: holder.businessId } as const
  const key = { kind: 'key', kid: holder.kid } as const
  const both = [gate(), gate()] as const
  const cross = ([mine, theirs]: readonly [typeof business | typeof key, typeof business | typeof key], at: 0 | 1) =>
    installation.connect().storage.transact(async (tx) => {
      await tx.lockTarget(mine)
      both[at].resolve()
      await Promise.all(both.map(({ promise }) => promise))
      await tx.lockTarget(theirs)
    })
  const crossed = Promise.allSettled([cross([business, key], 0), cross([key, business], 1)])
  const outcomes = (await installation.outcome(crossed)).map(({ status }) => status).sort()
  assert.deepEqual(outcomes, ['fulfilled', 'rejected'])
  assert.equal(database.counters.db_deadlock, 1)

  const held = gate()
  const idle = installation.connect().storage.transact(async (tx) => {
    await tx.lockTarget(key)
    held.resolve()
    await new Promise(() => {})
  })
  const busy = installation.connect().storage.transact(async (tx) => {
    await tx.lockTarget(business)
    while (database.counters.db_lock_timeout === 0) await tx.head()
  })
  const kept = installation.connect().storage.transact(async (tx) => {
    await held.promise
    await tx.lockTarget(business)
  })
  await assert.rejects(installation.outcome(kept), Unavailable)
  await installation.outcome(busy)
  await installation.outcome(installation.connect().storage.transact((tx) => tx.lockTarget(key)))
  assert.equal(database.counters.db_abandoned, 1)
  idle.catch(() => {})
})

test('a token is revoked once, however many try at the same time', async () => {
  const { database } = installation
  const { idx } = await installation.outcome(installation.connect().storage.transact((tx) => installation.issue(tx)))
  const tries = Array.from({ length: 3 }, () => revoke(installation.connect().storage, idx))
  const outcomes = await installation.outcome(Promise.allSettled(tries))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const outcome of outcomes) if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof Unavailable)
  assert.equal(database.tables.entries.length, 1)
})

test('a renewal reads the head in the instant in which it counts', async () => {
  const { database, scheduler } = installation
  const { storage } = installation.connect()
  const nodeId = installation.random.uuid()
  await installation.outcome(storage.membership.join({ nodeId, leaseMs: 2_000 }))
  const seen: [renewed: number, head: number | undefined][] = []
  for (let renewal = 1; renewal <= 20; renewal++) {
    const renewing = storage.membership.renew(nodeId, renewal)
    let headThen: number | undefined
    const watch = () => {
      if (database.tables.nodes.get(nodeId)?.renewals === renewal) headThen ??= database.tables.head?.seq
      else scheduler.after(0.01, watch)
    }
    watch()
    const appending = database.direct.transact((tx) => tx.appendEntry({ kind: 'key_retired', kid: 'x' }, 0))
    const [head] = await installation.outcome(Promise.all([renewing, appending]))
    await scheduler.runUntil(scheduler.nowMs + 0.1)
    assert.equal(head?.seq, headThen)
    seen.push([renewal, head?.seq])
  }
  assert.equal(seen.length, 20)
})

test('a node that has left or was removed renews nothing, and its id is never used again', async () => {
  const { storage } = installation.connect()
  const { membership } = storage
  const node = { nodeId: installation.random.uuid(), leaseMs: 2_000 }
  const said = <T>(promise: Promise<T>) => installation.outcome(promise)
  await said(membership.join(node))
  assert.equal((await said(membership.renew(node.nodeId, 0)))?.seq, 0)
  await said(membership.report(node.nodeId, 5))
  assert.deepEqual(await said(membership.members()), [{ ...node, renewals: 1, inForceSeq: 5 }])
  await said(membership.remove(node.nodeId, 0))
  assert.equal((await said(membership.members())).length, 1)
  await said(membership.remove(node.nodeId, 1))
  assert.equal(await said(membership.renew(node.nodeId, 5)), undefined)
  await assert.rejects(said(membership.join(node)), /used before/)
})

test('whoever follows the log is given what is there, then everything that others append', async () => {
  const { database, scheduler, start } = installation
  const append = () => database.direct.transact((tx) => tx.appendEntry({ kind: 'key_retired', kid: 'x' }, 0))
  for (let each = 0; each < 10; each++) await append()
  const { storage } = installation.connect()
  const delivered: Entry[] = []
  await installation.outcome(storage.follow(start, (entries) => delivered.push(...entries)))
  assert.equal(delivered.length, 10)
  await append()
  await scheduler.runUntil(scheduler.nowMs + 300)
  assert.deepEqual(delivered, database.tables.entries)
})
