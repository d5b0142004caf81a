import assert from 'node:assert/strict'
import { test } from 'node:test'
import { growthOf } from '../leak/growth.ts'
import type { MemorySample } from '../leak/memory-sample.ts'
import { createRandom } from '../random.ts'

const MB = 1024 * 1024
const SAMPLES = 30

/** @param more bytes in a sample, by its place from 0 to 1 */
function samplesWith(more: (at: number) => number): MemorySample[] {
  const random = createRandom(5)
  return Array.from({ length: SAMPLES }, (_, place) => {
    const held = more(place / SAMPLES)
    const noise = () => random.between(-0.05, 0.05) * MB
    return { heap: 20 * MB + held + noise(), external: 10 * MB, rss: 120 * MB + held + 4 * noise() }
  })
}

function flatOf(samples: readonly MemorySample[]): boolean[] {
  return growthOf(samples).map(({ isFlat }) => isFlat)
}

test('memory that stays the same, but for noise, is flat', () => {
  assert.deepEqual(flatOf(samplesWith(() => 0)), [true, true, true])
})

test('memory that only warms up is flat', () => {
  assert.deepEqual(flatOf(samplesWith((at) => Math.min(at, 0.2) * 200 * MB)), [true, true, true])
})

test('memory that grows once, whenever that is, is flat', () => {
  for (let when = 0; when < 1; when += 0.01) {
    assert.deepEqual(flatOf(samplesWith((at) => (at < when ? 0 : 20 * MB))), [true, true, true], `at ${when}`)
  }
})

test('a leak of three bytes for each of a million verifications is found on the heap', () => {
  assert.deepEqual(flatOf(samplesWith((at) => at * 3e6)), [false, true, true])
})

test('a leak of eight bytes for each of a million verifications is found in what the process takes, too', () => {
  assert.deepEqual(flatOf(samplesWith((at) => at * 8e6)), [false, true, false])
})

test('memory that shrinks is flat', () => {
  assert.deepEqual(flatOf(samplesWith((at) => -at * 8e6)), [true, true, true])
})

test('too few samples tell nothing', () => {
  assert.throws(() => growthOf(samplesWith(() => 0).slice(-7)), RangeError)
})
