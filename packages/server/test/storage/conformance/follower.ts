import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Entry, genesis, Unavailable } from '@rescind/protocol'
import { assertChain, installation, issue, NOW_MS, numbers, readLog, revoke, sequence, settle } from '../fixtures.ts'
import type { ReopenableStorage } from '../reopenable-storage.ts'

export function describeFollower(storage: ReopenableStorage): void {
  describe('the follower', () => {
    test('has every entry, in order, before the unit that wrote it resolves', async () => {
      const world = await settle(storage)
      const tokens = await storage.transact((tx) => sequence(numbers(120), () => issue(tx, world)))
      const delivered: Entry[] = []
      await storage.follow(genesis(installation.epoch), (entries) => delivered.push(...entries))
      await Promise.all(
        tokens.map(async ({ idx }) => {
          const { seq } = await storage.transact((tx) => revoke(tx, idx))
          assert.deepEqual(delivered[seq - 1]?.body, { kind: 'token_revoked', idx })
        }),
      )
      assertChain(genesis(installation.epoch), delivered)
      assert.equal(delivered.length, 120)
    })

    test('is given no entry of a unit that was rolled back', async () => {
      const world = await settle(storage)
      const token = await storage.transact((tx) => issue(tx, world))
      const delivered: Entry[] = []
      await storage.follow(genesis(installation.epoch), (entries) => delivered.push(...entries))
      const undone = storage.transact(async (tx) => {
        await revoke(tx, token.idx)
        throw new Error('undo')
      })
      const done = storage.transact((tx) => tx.appendEntry({ kind: 'key_added', jwk: world.key.jwk }, NOW_MS))
      await assert.rejects(undone)
      assert.deepEqual(delivered, [await done])
    })

    test('catches up from where it was, without gap or repetition, while units are being written', async () => {
      const world = await settle(storage)
      const bodies = numbers(2500).map((idx) => ({ kind: 'token_revoked' as const, idx }))
      await storage.transact((tx) => sequence(bodies, (body) => tx.appendEntry(body, NOW_MS)))
      await storage.reopen()
      const all = await readLog(storage)
      await storage.reopen()
      const from = all[99]
      assert.ok(from)
      const delivered: Entry[] = []
      const append = () => storage.transact((tx) => tx.appendEntry({ kind: 'key_added', jwk: world.key.jwk }, NOW_MS))
      const writing = numbers(50).map(append)
      await storage.follow({ epoch: installation.epoch, seq: from.seq, hash: from.hash }, (entries) =>
        delivered.push(...entries),
      )
      await Promise.all([...writing, ...numbers(50).map(append)])
      assertChain({ epoch: installation.epoch, seq: from.seq, hash: from.hash }, delivered)
      assert.equal(delivered.length, 2400 + 100)
      assert.deepEqual(delivered.slice(0, 2400), all.slice(100))
    })

    test('bodies of every kind come back as they were', async () => {
      const { key, business, member } = await settle(storage)
      const bodies = [
        { kind: 'token_revoked', idx: 0 },
        { kind: 'business_revoked', businessId: business.id, beforeIdx: 0 },
        { kind: 'member_revoked', businessId: business.id, userId: member.userId, beforeIdx: 7 },
        { kind: 'key_added', jwk: key.jwk },
        { kind: 'key_retired', kid: key.jwk.kid },
      ] as const
      await storage.transact((tx) => sequence(bodies, (body) => tx.appendEntry(body, NOW_MS)))
      await storage.reopen()
      assert.deepEqual(
        (await readLog(storage)).map(({ body }) => body),
        bodies,
      )
    })

    test('is one at a time', async () => {
      await settle(storage)
      await storage.follow(genesis(installation.epoch), () => {})
      await assert.rejects(storage.follow(genesis(installation.epoch), () => {}))
    })

    test('that throws stops the storage: nothing is acknowledged that it did not apply', async () => {
      const world = await settle(storage)
      const token = await storage.transact((tx) => issue(tx, world))
      await storage.follow(genesis(installation.epoch), () => {
        throw new Error('cannot apply')
      })
      await assert.rejects(
        storage.transact((tx) => revoke(tx, token.idx)),
        Unavailable,
      )
      assert.ok((await storage.failed) instanceof Unavailable)
      await assert.rejects(storage.read.standing(token.idx), Unavailable)
    })
  })
}
