import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { genesis, Unavailable } from '@rescind/protocol'
import { appendEntry, findNode, installation, joinNode, LEASE_MS, numbers, settle } from '../fixtures.ts'
import type { ReopenableStorage } from '../reopenable-storage.ts'

export function describeMembership(storage: ReopenableStorage): void {
  const join = (leaseMs?: number) => joinNode(storage, leaseMs)
  const find = (nodeId: string) => findNode(storage, nodeId)
  const ids = async () => new Set((await storage.membership.members()).map(({ nodeId }) => nodeId))

  describe('membership', () => {
    test('of an empty storage is empty', async () => {
      assert.deepEqual(await storage.membership.members(), [])
    })

    test('shows a node that joined to whoever reads the members afterwards', async () => {
      const a = await join()
      assert.deepEqual(await storage.membership.members(), [
        { nodeId: a, leaseMs: LEASE_MS, renewals: 0, inForceSeq: 0 },
      ])
      const b = await join(2_000)
      assert.deepEqual(await ids(), new Set([a, b]))
      assert.equal((await find(b))?.leaseMs, 2_000)
    })

    test('and log hide nothing from each other: a node finds an entry as it first renews, or is found by who wrote the entry', async () => {
      await settle(storage)
      const joinAndRenew = async () => {
        const nodeId = await join()
        return { nodeId, head: await storage.membership.renew(nodeId, 0) }
      }
      const writeAndLook = async () => {
        const { seq } = await appendEntry(storage)
        return { seq, seen: await ids() }
      }
      const both = numbers(30).map(() => [joinAndRenew(), writeAndLook()] as const)
      const nodes = await Promise.all(both.map(([node]) => node))
      const entries = await Promise.all(both.map(([, entry]) => entry))
      for (const { nodeId, head } of nodes) {
        for (const { seq, seen } of entries) assert.ok(seen.has(nodeId) || (head && head.seq >= seq))
      }
    })

    test('outlives the process: a node that ended without leaving stays, with its lease length, until it is removed', async () => {
      await settle(storage)
      const [a, b] = [await join(2_000), await join()]
      await storage.membership.renew(a, 0)
      await storage.reopen()
      assert.deepEqual(await ids(), new Set([a, b]))
      const left = await find(a)
      assert.equal(left?.leaseMs, 2_000)
      assert.ok(left.renewals <= 1)
      await storage.membership.remove(a, left.renewals)
      assert.deepEqual(await ids(), new Set([b]))
      await storage.reopen()
      assert.deepEqual(await ids(), new Set([b]))
    })

    test('of a node that left ends for good', async () => {
      const [a, b] = [await join(), await join()]
      await storage.membership.leave(a)
      assert.deepEqual(await ids(), new Set([b]))
      await storage.reopen()
      assert.deepEqual(await ids(), new Set([b]))
    })

    test('of one node is not touched by what another does', async () => {
      await settle(storage)
      const [a, b, c] = [await join(), await join(2_000), await join()]
      await storage.membership.renew(b, 0)
      const before = await find(b)
      await storage.membership.renew(a, 0)
      await storage.membership.report(a, 0)
      await storage.membership.leave(a)
      await storage.membership.remove(c, 0)
      assert.deepEqual(await storage.membership.members(), [before])
    })

    test('has each id once: an id that was used is refused, also when its node left or was removed, also after a restart', async () => {
      const used = [await join(), await join(), await join()]
      const [, left = '', removed = ''] = used
      await storage.membership.leave(left)
      await storage.membership.remove(removed, 0)
      const refuseAll = async () => {
        const before = await storage.membership.members()
        for (const nodeId of used) {
          const again = storage.membership.join({ nodeId, leaseMs: 2_000 })
          await assert.rejects(again, (error) => error instanceof Error && !(error instanceof Unavailable))
        }
        assert.deepEqual(await storage.membership.members(), before)
      }
      await refuseAll()
      await storage.reopen()
      await refuseAll()
    })

    test('has each id once, also when two join at the same time', async () => {
      const nodeId = randomUUID()
      const outcomes = await Promise.allSettled([
        storage.membership.join({ nodeId, leaseMs: 2_000 }),
        storage.membership.join({ nodeId, leaseMs: 4_000 }),
      ])
      const joined = outcomes.findIndex(({ status }) => status === 'fulfilled')
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      assert.equal((await find(nodeId))?.leaseMs, [2_000, 4_000][joined])
    })

    test('refuses grants of a node that is no member', async () => {
      const left = await join()
      await storage.membership.leave(left)
      for (const nodeId of [left, randomUUID()]) {
        const announcing = storage.membership.announceGrants(nodeId)
        await assert.rejects(announcing, (error) => error instanceof Error && !(error instanceof Unavailable))
      }
    })

    test('refuses a lease that lasts no time', async () => {
      for (const leaseMs of [0, -1]) {
        const joining = storage.membership.join({ nodeId: randomUUID(), leaseMs })
        await assert.rejects(joining, (error) => error instanceof Error && !(error instanceof Unavailable))
      }
      assert.deepEqual(await storage.membership.members(), [])
    })
  })

  describe('every method of the membership', () => {
    async function assertUnavailable(nodeId: string): Promise<void> {
      const { membership } = storage
      const calls = [
        membership.join({ nodeId: randomUUID(), leaseMs: LEASE_MS }),
        membership.announceGrants(randomUUID()),
        membership.renew(nodeId, 0),
        membership.report(nodeId, 0),
        membership.members(),
        membership.leave(nodeId),
        membership.remove(nodeId, 9),
      ]
      for (const outcome of await Promise.allSettled(calls)) {
        assert.ok(outcome.status === 'rejected' && outcome.reason instanceof Unavailable)
      }
    }

    test('is unavailable once the storage is closed, and nothing has happened', async () => {
      await settle(storage)
      const nodeId = await join()
      await storage.close()
      await assertUnavailable(nodeId)
      await storage.reopen()
      assert.deepEqual(await ids(), new Set([nodeId]))
    })

    test('is unavailable once the storage has failed', async () => {
      await settle(storage)
      const nodeId = await join()
      await storage.follow(genesis(installation.epoch), () => {
        throw new Error('cannot apply')
      })
      const entry = appendEntry(storage)
      await assert.rejects(entry, Unavailable)
      await assertUnavailable(nodeId)
    })
  })
}
