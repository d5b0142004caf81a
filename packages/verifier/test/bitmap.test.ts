import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitmap } from '../bitmap.ts'

test('a bitmap holds what a set of the same numbers holds', () => {
  const index = fc.oneof(
    fc.nat({ max: 100 }),
    fc.integer({ min: 32_700, max: 32_800 }),
    fc.integer({ min: 2 ** 31 - 40, max: 2 ** 31 - 1 }).map((n) => n + 20),
    fc.maxSafeNat(),
    fc.nat({ max: 70 }).map((n) => Number.MAX_SAFE_INTEGER - n),
  )
  fc.assert(
    fc.property(fc.array(index), fc.array(index), (added, asked) => {
      const bitmap = new Bitmap()
      const model = new Set<number>()
      for (const n of added) {
        bitmap.add(n)
        model.add(n)
        for (const near of [n - 1, n, n + 1, n + 32, n + 32_768, n % 2 ** 31, n % 2 ** 32, n + 2 ** 32]) {
          if (Number.isSafeInteger(near) && near >= 0) assert.equal(bitmap.has(near), model.has(near))
        }
      }
      for (const n of [...added, ...asked]) assert.equal(bitmap.has(n), model.has(n))
    }),
    { seed: 1, numRuns: 300 },
  )
})

test('what cannot be an index is refused, and nothing is added', () => {
  const bitmap = new Bitmap()
  for (const index of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.throws(() => bitmap.add(index), RangeError)
  }
  for (let n = 0; n < 64; n++) assert.ok(!bitmap.has(n))
})
