import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../random.ts'
import { Scheduler } from '../scheduler.ts'

/** Plays chains of events with promises in between. */
async function play(seed: number): Promise<{ hash: string; steps: number }> {
  const scheduler = new Scheduler()
  const random = new Random(seed)
  const again = async () => {
    await null
    await null
    if (scheduler.steps < 2_000) scheduler.after(random.between(0, 10), again)
  }
  for (let chain = 0; chain < 5; chain++) scheduler.after(random.between(0, 10), again)
  await scheduler.run()
  scheduler.trace('end', scheduler.nowMs)
  return { hash: scheduler.hash, steps: scheduler.steps }
}

test('the same seed leads to the same run, another seed to another', async () => {
  const first = await play(1)
  assert.deepEqual(await play(1), first)
  assert.notEqual((await play(2)).hash, first.hash)
})

test('what happened differently leaves another hash', () => {
  const hashes = [
    ['a', 1],
    ['a', 1 + Number.EPSILON],
    ['b', 1],
  ].map(([label, number]) => {
    const scheduler = new Scheduler()
    scheduler.trace(String(label), Number(number))
    return scheduler.hash
  })
  assert.equal(new Set(hashes).size, 3)
})

test('events happen in the order of their times, and of their planning at the same time', async () => {
  const scheduler = new Scheduler()
  const random = new Random(3)
  const planned = Array.from({ length: 500 }, (_, order) => ({ atMs: random.integer(50), order }))
  const happened: typeof planned = []
  for (const event of planned) {
    scheduler.at(event.atMs, () => {
      assert.equal(scheduler.nowMs, event.atMs)
      happened.push(event)
    })
  }
  await scheduler.run()
  assert.deepEqual(
    happened,
    planned.toSorted((one, other) => one.atMs - other.atMs || one.order - other.order),
  )
})

test('a cancelled event never happens and is no step', async () => {
  const scheduler = new Scheduler()
  scheduler.cancel(scheduler.after(1, () => assert.fail('cancelled')))
  scheduler.after(2, () => {})
  await scheduler.run()
  assert.equal(scheduler.steps, 1)
})

test('everything that an event resolves has happened before the next event', async () => {
  const scheduler = new Scheduler()
  const seen: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const waits = async () => {
    await promise
    for (let turn = 0; turn < 20; turn++) await null
    seen.push('continued')
  }
  waits()
  scheduler.after(1, resolve)
  scheduler.after(1, () => seen.push('next event'))
  await scheduler.run()
  assert.deepEqual(seen, ['continued', 'next event'])
})

test('what an event throws ends the run', async () => {
  const scheduler = new Scheduler()
  scheduler.after(1, () => {
    throw new Error('broken')
  })
  await assert.rejects(scheduler.run(), /broken/)
})

test('a forked stream does not depend on what was drawn before', () => {
  const fresh = new Random('seed')
  const used = new Random('seed')
  for (let draw = 0; draw < 10; draw++) used.next()
  const drawn = (random: Random) => [random.next(), random.uuid(7), random.integer(1e6)]
  assert.deepEqual(drawn(used.fork('child')), drawn(fresh.fork('child')))
  assert.notDeepEqual(drawn(fresh.fork('child')), drawn(fresh.fork('other')))
})

test('random numbers spread evenly, and identifiers have their version', () => {
  const random = new Random(9)
  const buckets = new Array<number>(10).fill(0)
  for (let draw = 0; draw < 100_000; draw++) {
    const bucket = random.integer(10)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  for (const count of buckets) assert.ok(Math.abs(count - 10_000) < 500, `${buckets}`)
  assert.match(random.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.match(random.uuid(7), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
