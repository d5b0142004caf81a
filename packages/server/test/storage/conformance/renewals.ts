import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { genesis } from '@rescind/protocol'
import { appendEntry, findNode, installation, joinNode, LEASE_MS, NOW_MS, settle } from '../fixtures.ts'
import type { ReopenableStorage } from '../reopenable-storage.ts'

export function describeRenewals(storage: ReopenableStorage): void {
  const join = () => joinNode(storage)
  const find = (nodeId: string) => findNode(storage, nodeId)

  describe('a renewal', () => {
    test('counts, records what is in force, and returns the head after everything committed before it', async () => {
      await settle(storage)
      const nodeId = await join()
      assert.deepEqual(await storage.membership.renew(nodeId, 0), genesis(installation.epoch))
      assert.deepEqual(await find(nodeId), { nodeId, leaseMs: LEASE_MS, renewals: 1, inForceSeq: 0 })
      for (const seq of [1, 2, 3]) {
        const { hash } = await appendEntry(storage)
        assert.deepEqual(await storage.membership.renew(nodeId, seq - 1), { epoch: installation.epoch, seq, hash })
        assert.deepEqual(await find(nodeId), { nodeId, leaseMs: LEASE_MS, renewals: seq + 1, inForceSeq: seq - 1 })
      }
    })

    test('returns no head that is not committed', async () => {
      await settle(storage)
      const nodeId = await join()
      const { hash } = await appendEntry(storage)
      const appended = Promise.withResolvers<void>()
      const proceed = Promise.withResolvers<void>()
      const unit = storage.transact(async (tx) => {
        await tx.appendEntry({ kind: 'token_revoked', idx: 9 }, NOW_MS)
        appended.resolve()
        await proceed.promise
        throw new Error('not after all')
      })
      await appended.promise
      const renewal = storage.membership.renew(nodeId, 0)
      proceed.resolve()
      await assert.rejects(unit, { message: 'not after all' })
      assert.deepEqual(await renewal, { epoch: installation.epoch, seq: 1, hash })
    })

    test('is not what a report is: that records and does not count', async () => {
      await settle(storage)
      const nodeId = await join()
      await appendEntry(storage)
      await storage.membership.renew(nodeId, 0)
      await storage.membership.report(nodeId, 1)
      assert.deepEqual(await find(nodeId), { nodeId, leaseMs: LEASE_MS, renewals: 1, inForceSeq: 1 })
    })

    test('of a node that left, was removed or never joined finds nothing, and brings nothing back', async () => {
      await settle(storage)
      const [left, removed] = [await join(), await join()]
      await storage.membership.leave(left)
      await storage.membership.remove(removed, 0)
      for (const nodeId of [left, removed, randomUUID()]) {
        assert.equal(await storage.membership.renew(nodeId, 0), undefined)
        await storage.membership.report(nodeId, 0)
        await storage.membership.leave(nodeId)
        await storage.membership.remove(nodeId, 9)
      }
      assert.deepEqual(await storage.membership.members(), [])
    })

    test('keeps its node from being removed by whoever has not seen it', async () => {
      await settle(storage)
      const nodeId = await join()
      await storage.membership.renew(nodeId, 0)
      const seen = await find(nodeId)
      assert.ok(seen)
      await storage.membership.renew(nodeId, 0)
      await storage.membership.remove(nodeId, seen.renewals)
      assert.equal((await find(nodeId))?.renewals, seen.renewals + 1)
      assert.ok(await storage.membership.renew(nodeId, 0))
      await storage.membership.remove(nodeId, seen.renewals + 2)
      assert.equal(await find(nodeId), undefined)
    })

    for (const removalFirst of [true, false]) {
      test(`and a removal that ${removalFirst ? 'comes before it' : 'follows it'}: one of the two takes place, while a unit runs`, async () => {
        await settle(storage)
        const nodeId = await join()
        const remove = () => storage.membership.remove(nodeId, 0)
        const running = Promise.withResolvers<void>()
        const proceed = Promise.withResolvers<void>()
        const early = removalFirst ? [remove()] : []
        const unit = storage.transact(async () => {
          running.resolve()
          await proceed.promise
        })
        await running.promise
        const renewal = storage.membership.renew(nodeId, 0)
        const late = removalFirst ? [] : [remove()]
        proceed.resolve()
        await Promise.all([unit, ...early, ...late])
        const renewals = (await renewal) === undefined ? undefined : 1
        assert.equal((await find(nodeId))?.renewals, renewals)
        await storage.reopen()
        assert.equal((await find(nodeId)) !== undefined, renewals !== undefined)
      })
    }
  })
}
