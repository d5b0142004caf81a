import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitmap, PAGE_BITS } from '../core/bitmap.ts'
import { index, indexesOf } from './index-arbitrary.ts'

function bitmapOf(indexes: Iterable<number>): Bitmap {
  const bitmap = new Bitmap()
  for (const n of indexes) bitmap.add(n)
  return bitmap
}

test('a bitmap holds what a set of the same numbers holds', () => {
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
  assert.deepEqual(bitmap.pages(), [])
})

test('the pages of a bitmap are in order, none is empty, and together they are the set', () => {
  fc.assert(
    fc.property(fc.array(index), (added) => {
      const pages = bitmapOf(added).pages()
      const numbers = [...new Set(added.map((n) => Math.floor(n / PAGE_BITS)))].sort((a, b) => a - b)
      assert.deepEqual(
        pages.map(({ number }) => number),
        numbers,
      )
      assert.deepEqual(
        pages.flatMap(indexesOf),
        [...new Set(added)].sort((a, b) => a - b),
      )
    }),
    { seed: 2, numRuns: 300 },
  )
})

test('adding the pages of another bitmap makes the union', () => {
  fc.assert(
    fc.property(fc.array(index), fc.array(index), (own, others) => {
      const bitmap = bitmapOf(own)
      for (const page of bitmapOf(others).pages()) bitmap.addPage(page)
      assert.deepEqual(bitmap.pages(), bitmapOf([...own, ...others]).pages())
      for (const n of [...own, ...others]) assert.ok(bitmap.has(n))
    }),
    { seed: 3, numRuns: 300 },
  )
})

test('an added page and the bitmap it came from go their own ways', () => {
  const [from, to] = [bitmapOf([7]), new Bitmap()]
  for (const page of from.pages()) to.addPage(page)
  from.add(8)
  to.add(9)
  assert.deepEqual(from.pages().flatMap(indexesOf), [7, 8])
  assert.deepEqual(to.pages().flatMap(indexesOf), [7, 9])
})
