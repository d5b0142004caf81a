import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Sightings, sight } from '../../revocations/other-nodes.ts'
import type { NodeRecord } from '../../storage/storage.ts'

const SELF = 'self'

function row(nodeId: string, renewals: number, leaseMs = 1_000): NodeRecord {
  return { nodeId, leaseMs, renewals, inForceSeq: 0 }
}

/** One who reads the members from time to time. */
class Watch {
  #sightings: Sightings = new Map()

  /** @returns the ids of those that have ended */
  read(askedMs: number, readMs: number, ...members: readonly NodeRecord[]): string[] {
    const { sightings, ended } = sight(this.#sightings, members, SELF, { askedMs, readMs })
    this.#sightings = sightings
    return ended.map(({ nodeId }) => nodeId)
  }

  get known(): string[] {
    return [...this.#sightings.keys()]
  }
}

test('a node has ended when its counter stood still for the whole lease of its row, since it was first seen so', () => {
  const watch = new Watch()
  assert.deepEqual(watch.read(0, 5, row('b', 3)), [])
  assert.deepEqual(watch.read(1_004, 1_004, row('b', 3)), [])
  assert.deepEqual(watch.read(1_005, 1_005, row('b', 3)), ['b'])
})

test('the lease of the row counts, not that of whoever looks', () => {
  const watch = new Watch()
  watch.read(0, 0, row('b', 3, 300_000), row('c', 3, 2_000))
  assert.deepEqual(watch.read(2_000, 2_000, row('b', 3, 300_000), row('c', 3, 2_000)), ['c'])
  assert.deepEqual(watch.read(299_999, 299_999, row('b', 3, 300_000)), [])
  assert.deepEqual(watch.read(300_000, 300_000, row('b', 3, 300_000)), ['b'])
})

test('a node that renewed in between has not ended, and its time begins again', () => {
  const watch = new Watch()
  watch.read(0, 0, row('b', 3))
  assert.deepEqual(watch.read(1_000, 1_000, row('b', 4)), [])
  assert.deepEqual(watch.read(1_999, 1_999, row('b', 4)), [])
  assert.deepEqual(watch.read(2_000, 2_000, row('b', 4)), ['b'])
})

test('a reading that took long ends nobody: what counts is when it was asked for', () => {
  const watch = new Watch()
  watch.read(0, 0, row('b', 3))
  assert.deepEqual(watch.read(999, 60_000, row('b', 3)), [])
})

test('a node that is gone is forgotten, and itself it does not watch', () => {
  const watch = new Watch()
  watch.read(0, 0, row(SELF, 1), row('b', 1))
  assert.deepEqual(watch.known, ['b'])
  assert.deepEqual(watch.read(5_000, 5_000, row(SELF, 1)), [])
  assert.deepEqual(watch.known, [])
})

test('nobody ends who renewed within a lease, and everybody ends who did not', () => {
  const reading = fc.record({ afterMs: fc.nat({ max: 700 }), tookMs: fc.nat({ max: 700 }), hasRenewed: fc.boolean() })
  fc.assert(
    fc.property(fc.array(reading, { size: 'max', maxLength: 60 }), (readings) => {
      const watch = new Watch()
      let nowMs = 0
      let renewals = 0
      let seenSinceMs: number | undefined
      for (const { afterMs, tookMs, hasRenewed } of readings) {
        const askedMs = nowMs + afterMs
        nowMs = askedMs + tookMs
        if (hasRenewed) renewals += 1
        if (hasRenewed || seenSinceMs === undefined) seenSinceMs = nowMs
        const hasEnded = askedMs - seenSinceMs >= 1_000
        assert.deepEqual(watch.read(askedMs, nowMs, row('b', renewals)), hasEnded ? ['b'] : [])
      }
    }),
    { seed: 13 },
  )
})
