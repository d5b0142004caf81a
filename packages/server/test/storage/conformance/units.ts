import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { genesis, Unavailable } from '@rescind/protocol'
import type { Transaction } from '../../../storage/storage.ts'
import {
  assertChain,
  installation,
  issue,
  NOW_MS,
  newAuditEvent,
  newBusiness,
  newKey,
  newMember,
  numbers,
  readLog,
  revoke,
  sequence,
  settle,
} from '../fixtures.ts'
import type { ReopenableStorage } from '../reopenable-storage.ts'

export function describeUnits(storage: ReopenableStorage): void {
  describe('units', () => {
    test('under 200 concurrent units, some of which throw, the log stays dense and chained and only the others are in it', async () => {
      const world = await settle(storage)
      const tokens = await storage.transact((tx) => sequence(numbers(200), () => issue(tx, world)))
      const outcomes = await Promise.allSettled(
        tokens.map(({ idx }, i) =>
          storage.transact(async (tx) => {
            const { seq } = await revoke(tx, idx)
            if (i % 7 === 3) throw new Error(`unit ${i} gives up`)
            return seq
          }),
        ),
      )
      const entries = await readLog(storage)
      assertChain(genesis(installation.epoch), entries)
      for (const [i, outcome] of outcomes.entries()) {
        const token = tokens[i]
        assert.ok(token)
        const record = await storage.read.tokenByIdOrJti(token.id)
        if (i % 7 === 3) {
          assert.equal(outcome.status === 'rejected' && outcome.reason.message, `unit ${i} gives up`)
          assert.equal(record?.revocation, null)
        } else {
          assert.equal(outcome.status, 'fulfilled')
          const seq = outcome.status === 'fulfilled' ? outcome.value : 0
          assert.deepEqual(entries[seq - 1]?.body, { kind: 'token_revoked', idx: token.idx })
          assert.equal(record?.revocation?.seq, seq)
        }
      }
      assert.equal(entries.length, outcomes.filter(({ status }) => status === 'fulfilled').length)
      const last = entries.at(-1)
      assert.deepEqual(await storage.read.head(), { epoch: installation.epoch, seq: last?.seq, hash: last?.hash })
    })

    test('a unit that throws leaves no trace of any of its writes, and its batch mates commit', async () => {
      const world = await settle(storage)
      const token = await storage.transact((tx) => issue(tx, world))
      const before = await storage.read.tokenByIdOrJti(token.id)
      const business = newBusiness()
      const mate = (name: string) => storage.transact((tx) => tx.upsertBusiness({ ...newBusiness(), id: name, name }))
      const outcomes = await Promise.allSettled([
        mate('before'),
        storage.transact(async (tx) => {
          await tx.upsertBusiness(business)
          await tx.upsertMember(newMember(business.id))
          await tx.deleteMember(world.business.id, world.member.userId)
          await tx.insertSigningKey(newKey())
          await issue(tx, world)
          await revoke(tx, token.idx)
          await tx.recordUsage(new Map([[token.idx, 5]]))
          await tx.insertAuditEvent(newAuditEvent())
          throw new Error('changed my mind')
        }),
        mate('after'),
      ])
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      )
      await storage.reopen()
      assert.equal((await storage.read.business('before'))?.name, 'before')
      assert.equal((await storage.read.business('after'))?.name, 'after')
      assert.equal(await storage.read.business(business.id), undefined)
      assert.deepEqual(await storage.read.member(world.business.id, world.member.userId), world.member)
      assert.equal((await storage.read.signingKeys()).length, 1)
      assert.equal(await storage.read.countTokens({ businessId: world.business.id, includeRevoked: true }), 1)
      assert.deepEqual(await storage.read.tokenByIdOrJti(token.id), before)
      assert.equal((await storage.read.head()).seq, 0)
    })

    test('a unit of which a statement was refused does not commit, even if it goes on regardless', async () => {
      const { business, member } = await settle(storage)
      const unit = storage.transact(async (tx) => {
        await tx.upsertMember(newMember(business.id, { email: member.email })).catch(() => {})
        await tx.upsertBusiness({ ...business, name: 'regardless' }).catch(() => {})
      })
      await assert.rejects(unit, (error) => error instanceof Error && !(error instanceof Unavailable))
      assert.equal((await storage.read.business(business.id))?.name, business.name)
    })

    test('a unit reads its own writes, and nobody else does before it commits', async () => {
      const { business } = await settle(storage)
      const reached = Promise.withResolvers<void>()
      const proceed = Promise.withResolvers<void>()
      let committed = false
      const unit = storage
        .transact(async (tx) => {
          await tx.upsertBusiness({ ...business, name: 'uncommitted' })
          assert.equal((await tx.business(business.id))?.name, 'uncommitted')
          reached.resolve()
          await proceed.promise
          throw new Error('never mind')
        })
        .catch(() => {
          committed = true
        })
      await reached.promise
      const name = storage.read.business(business.id).then((row) => row?.name)
      const entries = readLog(storage)
      proceed.resolve()
      assert.equal(await name, business.name)
      assert.deepEqual(await entries, [])
      await unit
      assert.ok(committed)
    })

    test('units are isolated: read-then-write in many of them loses no update', async () => {
      const { business } = await settle(storage)
      await storage.transact((tx) => tx.upsertBusiness({ ...business, name: '0' }))
      const increment = (tx: Transaction) =>
        tx.business(business.id).then((row) => tx.upsertBusiness({ ...business, name: String(Number(row?.name) + 1) }))
      await Promise.all(numbers(100).map(() => storage.transact(increment)))
      assert.equal((await storage.read.business(business.id))?.name, '100')
    })

    test('a transaction that outlives its unit can do nothing', async () => {
      const { business } = await settle(storage)
      let leaked: Transaction | undefined
      await storage.transact(async (tx) => {
        leaked = tx
      })
      await assert.rejects(async () => leaked?.upsertBusiness({ ...business, name: 'late' }))
      assert.equal((await storage.read.business(business.id))?.name, business.name)
    })

    test('what a unit returns is returned, and what it throws is thrown', async () => {
      const fault = new Error('as it is')
      assert.equal(await storage.transact(async () => 42), 42)
      await assert.rejects(
        storage.transact(async () => {
          throw fault
        }),
        (error) => error === fault,
      )
    })

    test('an index is never given to two tokens, whatever is rolled back', async () => {
      const world = await settle(storage)
      const issued = await Promise.allSettled(
        numbers(100).map((i) =>
          storage.transact(async (tx) => {
            const token = await issue(tx, world)
            if (i % 3 === 0) throw new Error('not this one')
            return token
          }),
        ),
      )
      const idxs = issued.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.idx] : []))
      assert.equal(new Set(idxs).size, idxs.length)
      await storage.reopen()
      const next = await storage.transact((tx) => tx.nextIdx())
      assert.ok(idxs.every((idx) => idx < next))
      assert.equal(await storage.transact((tx) => tx.takeIdx()), next)
      assert.equal(await storage.transact((tx) => tx.nextIdx()), next + 1)
    })

    test('the quota of active tokens holds when units that count and insert race', async () => {
      const world = await settle(storage)
      const { businessId, userId } = world.member
      const kid = world.key.jwk.kid
      const issued = await Promise.all(
        numbers(50).map(() =>
          storage.transact(async (tx) => {
            await tx.lockHolder({ businessId, userId, kid })
            if ((await tx.activeTokens(businessId, userId, NOW_MS)).length >= 10) return undefined
            return issue(tx, world)
          }),
        ),
      )
      assert.equal(issued.filter((token) => token !== undefined).length, 10)
    })

    test('everything submitted before close settles; everything after is refused', async () => {
      const { business } = await settle(storage)
      const last = storage.transact((tx) => tx.upsertBusiness({ ...business, name: 'last' }))
      const closed = storage.close()
      await assert.rejects(
        storage.transact(async () => 1),
        Unavailable,
      )
      await last
      await closed
      await assert.rejects(storage.read.business(business.id), Unavailable)
      await assert.rejects(
        storage.follow(genesis(installation.epoch), () => {}),
        Unavailable,
      )
      await storage.reopen()
      assert.equal((await storage.read.business(business.id))?.name, 'last')
    })
  })
}
