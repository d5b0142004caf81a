import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FeedWorld } from './feed-world.ts'

/** For each direction. */
const WORLDS = 37
const STEPS = 2_500
const LEAST_MUTATED = 50_000

for (const towards of ['service', 'verifier'] as const) {
  test(`whatever becomes of the messages to the ${towards}, neither side fails, and neither believes too much`, async (t) => {
    let mutated = 0
    const ways = new Map<string, number>()
    const codes = new Map<number, number>()
    for (let seed = 1; seed <= WORLDS; seed++) {
      const world = new FeedWorld(seed, towards)
      await world.start()
      await world.run(STEPS)
      await world.heal()
      await world.end()
      mutated += world.network.mutated
      add(ways, world.network.mutator.taken)
      add(codes, world.closed)
    }
    t.diagnostic(`${mutated} messages in ${ways.size} ways; connections closed: ${JSON.stringify([...codes])}`)
    assert.ok(mutated >= LEAST_MUTATED, `${mutated} messages only`)
  })
}

function add<T>(sum: Map<T, number>, counts: ReadonlyMap<T, number>): void {
  for (const [each, count] of counts) sum.set(each, (sum.get(each) ?? 0) + count)
}
