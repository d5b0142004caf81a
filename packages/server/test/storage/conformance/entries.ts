import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NOW_MS, numbers, readLog, sequence, settle } from '../fixtures.ts'
import type { ReopenableStorage } from '../reopenable-storage.ts'

export function describeEntries(storage: ReopenableStorage): void {
  describe('entries after a position', () => {
    const append = (count: number) =>
      storage.transact((tx) =>
        sequence(numbers(count), (idx) => tx.appendEntry({ kind: 'token_revoked', idx }, NOW_MS)),
      )

    test('come in order, at most as many as asked for, and page through the whole log', async () => {
      await settle(storage)
      const written = await append(25)
      assert.deepEqual(await storage.read.entriesAfter(0, 10), written.slice(0, 10))
      assert.deepEqual(await storage.read.entriesAfter(10, 10), written.slice(10, 20))
      assert.deepEqual(await storage.read.entriesAfter(20, 10), written.slice(20))
      assert.deepEqual(await storage.read.entriesAfter(7, 1), written.slice(7, 8))
      assert.deepEqual(await storage.read.entriesAfter(0, 1000), await readLog(storage))
    })

    test('are none at the head and beyond it', async () => {
      await settle(storage)
      assert.deepEqual(await storage.read.entriesAfter(0, 10), [])
      await append(3)
      assert.deepEqual(await storage.read.entriesAfter(3, 10), [])
      assert.deepEqual(await storage.read.entriesAfter(4, 10), [])
    })

    test('are seen by the unit that appended them, and by nobody else before it commits', async () => {
      await settle(storage)
      const [first] = await append(1)
      const appended = Promise.withResolvers<void>()
      const proceed = Promise.withResolvers<void>()
      const unit = storage.transact(async (tx) => {
        const entry = await tx.appendEntry({ kind: 'token_revoked', idx: 9 }, NOW_MS)
        assert.deepEqual(await tx.entriesAfter(0, 10), [first, entry])
        assert.deepEqual(await tx.entriesAfter(1, 10), [entry])
        appended.resolve()
        await proceed.promise
        throw new Error('not after all')
      })
      await appended.promise
      const seen = storage.read.entriesAfter(0, 10)
      proceed.resolve()
      await assert.rejects(unit, { message: 'not after all' })
      assert.deepEqual(await seen, [first])
    })
  })
}
