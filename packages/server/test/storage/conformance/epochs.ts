import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { genesis } from '@rescind/protocol'
import { assertChain, installation, issue, NOW_MS, readLog, revoke, settle } from '../fixtures.ts'
import type { ReopenableStorage } from '../reopenable-storage.ts'

const [SECOND, THIRD] = [randomUUID(), randomUUID()]

export function describeEpochs(storage: ReopenableStorage): void {
  const open = (epoch: string, beforeIdx?: number) =>
    storage.transact(async (tx) => {
      const body = { kind: 'epoch_opened', epoch, beforeIdx: beforeIdx ?? (await tx.nextIdx()) } as const
      return tx.appendEntry(body, NOW_MS)
    })

  describe('epochs', () => {
    test('the head names an epoch from the entry on that opens it, inside the unit too, and the log is one chain', async () => {
      const world = await settle(storage)
      await storage.transact(async (tx) => {
        await revoke(tx, (await issue(tx, world)).idx)
        assert.equal((await tx.head()).epoch, installation.epoch)
        const beforeIdx = await tx.nextIdx()
        const opening = await tx.appendEntry({ kind: 'epoch_opened', epoch: SECOND, beforeIdx }, NOW_MS)
        assert.deepEqual(await tx.head(), { epoch: SECOND, seq: opening.seq, hash: opening.hash })
        await revoke(tx, (await issue(tx, world)).idx)
        assert.equal((await tx.head()).epoch, SECOND)
      })
      await open(THIRD)
      await storage.reopen()
      assert.equal((await storage.read.head()).epoch, THIRD)
      assert.equal((await storage.read.installation())?.epoch, installation.epoch)
      const entries = await readLog(storage)
      assertChain(genesis(installation.epoch), entries)
      assert.deepEqual(
        entries.map(({ body }) => body.kind),
        ['token_revoked', 'epoch_opened', 'token_revoked', 'epoch_opened'],
      )
    })

    test('an epoch is opened once, and knows only of tokens that exist', async () => {
      const world = await settle(storage)
      await storage.transact((tx) => issue(tx, world))
      const before = await storage.read.head()
      await assert.rejects(open(SECOND, 2), /knows only of tokens that exist/)
      await assert.rejects(open(installation.epoch), /opened once/)
      assert.deepEqual(await storage.read.head(), before)
      await open(SECOND, 1)
      for (const epoch of [SECOND, installation.epoch]) await assert.rejects(open(epoch), /opened once/)
      assert.equal((await storage.read.head()).epoch, SECOND)
    })

    test('indexes that are skipped are never given out', async () => {
      const world = await settle(storage)
      const first = await storage.transact((tx) => issue(tx, world))
      await storage.transact((tx) => tx.skipIdxs(2 ** 45))
      await storage.reopen()
      const second = await storage.transact((tx) => issue(tx, world))
      assert.equal(second.idx, first.idx + 1 + 2 ** 45)
      assert.equal((await storage.read.standing(second.idx))?.tokenId, second.id)
      await assert.rejects(storage.transact((tx) => tx.skipIdxs(-1)))
    })
  })
}
