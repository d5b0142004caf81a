import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from '@rescind/protocol'
import fc from 'fast-check'
import { LogFixture } from '../../../verifier/test/log-fixture.ts'
import { RecentEntries } from '../../revocations/recent-entries.ts'

const log = new LogFixture()

test('recent entries are those of the log, or are said not to be kept', () => {
  const use = fc.record({
    added: fc.nat({ max: 12 }),
    seq: fc.nat({ max: 120 }),
    limit: fc.integer({ min: 1, max: 20 }),
  })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10 }),
      fc.nat({ max: 30 }),
      fc.array(use, { size: 'max', maxLength: 40 }),
      (keeps, from, uses) => {
        const recent = new RecentEntries(keeps)
        const all: Entry[] = []
        for (const { added, seq, limit } of uses) {
          const first = from + all.length + 1
          const entries = added === 0 ? [] : log.entries(first, first + added - 1)
          all.push(...entries)
          recent.add(entries)
          const found = recent.after(seq, limit)
          if (found !== undefined) {
            const expected = all.filter((entry) => entry.seq > seq).slice(0, limit)
            assert.ok(expected.length === 0 || expected[0]?.seq === seq + 1, 'none is left out')
            assert.deepEqual(found, expected)
          } else {
            const isKept = all.slice(-keeps).some((entry) => entry.seq === seq + 1)
            assert.ok(!isKept, 'as many as promised are kept')
          }
        }
      },
    ),
    { seed: 14, numRuns: 300 },
  )
})

test('nothing is known before anything was added', () => {
  assert.equal(new RecentEntries(4).after(0, 1), undefined)
})

test('at most twice as many entries are kept as promised', () => {
  const recent = new RecentEntries(4)
  for (const entry of log.entries(1, 100)) recent.add([entry])
  const kept = Array.from({ length: 100 }, (_, seq) => recent.after(seq, 1)).filter((found) => found?.length === 1)
  assert.ok(kept.length >= 4 && kept.length <= 8)
})
