import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqlite } from '../storage/sqlite/open-sqlite.ts'
import { Usage } from '../tokens/usage.ts'
import { temporaryFolder } from './service/running-service.ts'
import { issue, NOW_MS, numbers, sequence, settle } from './storage/fixtures.ts'

test('the uses of many tokens are all stored, in transactions short enough for requests in between', async (t) => {
  const storage = await openSqlite({ dataDir: await temporaryFolder(t), clock: { nowMs: () => NOW_MS } })
  t.after(() => storage.close())
  const world = await settle(storage)
  const tokens = await storage.transact((tx) => sequence(numbers(450), () => issue(tx, world)))

  const sizes: number[] = []
  const watched: Pick<typeof storage, 'transact'> = {
    transact: (unit) =>
      storage.transact((tx) => {
        const recordUsage = tx.recordUsage.bind(tx)
        tx.recordUsage = (usage) => {
          sizes.push(usage.size)
          return recordUsage(usage)
        }
        return unit(tx)
      }),
  }
  const usage = new Usage(watched, { nowMs: () => NOW_MS + 1 })
  for (const { idx } of tokens) usage.note(idx)
  await usage.flush()
  await usage.flush()

  assert.ok(sizes.every((size) => size <= 200))
  const stored = await sequence(tokens, ({ id }) => storage.read.tokenByIdOrJti(id))
  assert.ok(stored.every((token) => token?.lastUsedAtMs === NOW_MS + 1))
})
