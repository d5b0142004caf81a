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

test('of what is told of a use the latest counts, the future is now, and an index of nobody is harmless', async (t) => {
  const storage = await openSqlite({ dataDir: await temporaryFolder(t), clock: { nowMs: () => NOW_MS } })
  t.after(() => storage.close())
  const world = await settle(storage)
  const [behind, ahead, both] = await storage.transact((tx) => sequence(numbers(3), () => issue(tx, world)))
  assert.ok(behind && ahead && both)

  const usage = new Usage(storage, { nowMs: () => NOW_MS + 60_000 })
  usage.noteTold(behind.idx, NOW_MS + 2)
  usage.noteTold(behind.idx, NOW_MS + 1)
  usage.noteTold(ahead.idx, NOW_MS + 3_600_000)
  usage.note(both.idx)
  usage.noteTold(both.idx, NOW_MS)
  for (const idx of [both.idx + 1, 2 ** 40, Number.MAX_SAFE_INTEGER]) usage.noteTold(idx, NOW_MS)
  await usage.flush()
  usage.noteTold(behind.idx, NOW_MS)
  await usage.flush()

  const stored = await sequence([behind, ahead, both], ({ id }) => storage.read.tokenByIdOrJti(id))
  assert.deepEqual(
    stored.map((token) => token?.lastUsedAtMs),
    [NOW_MS + 2, NOW_MS + 60_000, NOW_MS + 60_000],
  )
})

test('who tells of uses that never were takes a bounded share of the memory', async (t) => {
  const storage = await openSqlite({ dataDir: await temporaryFolder(t), clock: { nowMs: () => NOW_MS } })
  t.after(() => storage.close())
  let transactions = 0
  const counted: Pick<typeof storage, 'transact'> = {
    transact: (unit) => {
      transactions += 1
      return storage.transact(unit)
    },
  }
  const usage = new Usage(counted, { nowMs: () => NOW_MS })
  for (let idx = 0; idx < 150_000; idx++) usage.noteTold(idx, NOW_MS)
  usage.note(200_000)
  await usage.flush()
  assert.equal(transactions, 100_000 / 200 + 1)
})
