import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { emptyPage, PAGE_BITS } from '../core/bitmap.ts'
import { packPage, unpackPage } from '../core/packed-page.ts'
import { randomFrom } from './random-from.ts'

function pageOf(offsets: readonly number[]): Int32Array {
  const words = emptyPage()
  for (const offset of offsets) words[offset >>> 5] = (words[offset >>> 5] ?? 0) | (1 << (offset & 31))
  return words
}

function unpack(bytes: Uint8Array): Int32Array | undefined {
  const words = emptyPage().fill(0x55555555)
  return unpackPage(bytes, words) === bytes.length ? words : undefined
}

const offset = fc.oneof(fc.nat({ max: PAGE_BITS - 1 }), fc.constantFrom(0, 31, 32, PAGE_BITS - 32, PAGE_BITS - 1))
const fewOffsets = fc.array(offset, { minLength: 1 }).map(pageOf)
const word = fc.oneof(fc.constantFrom(0, -1, 1, 1 << 31), fc.integer())
/** Runs of words, so that long gaps and long stretches meet. */
const runs = fc.array(fc.tuple(word, fc.nat({ max: 600 })), { maxLength: 8 }).map((parts) => {
  const words = emptyPage()
  words.set(parts.flatMap(([each, length]) => Array.from({ length }, () => each)).slice(0, words.length))
  return words
})

const page = fc
  .tuple(fc.oneof(fewOffsets, runs), fc.boolean())
  .map(([words, isInverse]) => (isInverse ? words.map((each) => ~each) : words))
  .filter((words) => words.some((each) => each !== 0))

test('a page comes back from its packed form, whatever follows that', () => {
  fc.assert(
    fc.property(page, fc.uint8Array({ maxLength: 8 }), (words, rest) => {
      const packed = packPage(words)
      assert.deepEqual(unpack(packed), words)
      assert.equal(unpackPage(Buffer.concat([packed, rest]), emptyPage()), packed.length)
    }),
    { seed: 1, numRuns: 300 },
  )
})

test('a page with one integer and a page that lacks one come back, wherever it is', () => {
  for (let offset = 0; offset < PAGE_BITS; offset += offset % 32 === 0 ? 31 : 1) {
    const words = pageOf([offset])
    assert.deepEqual(unpack(packPage(words)), words)
    const inverse = words.map((each) => ~each)
    assert.deepEqual(unpack(packPage(inverse)), inverse)
  }
})

test('a packed page takes little more than random integers need, and never more than the page and two bytes', () => {
  for (const [share, most] of [
    [0.000_1, 10],
    [0.001, 60],
    [0.01, 350],
    [0.1, 2000],
    [0.5, 4098],
    [0.9, 2000],
    [1, 2],
  ] as const) {
    const random = randomFrom(1)
    const offsets = Array.from({ length: PAGE_BITS }, (_, at) => at).filter(() => random() < share)
    const packed = packPage(pageOf(offsets))
    assert.ok(packed.length <= most, `${packed.length} bytes for a share of ${share}`)
    assert.deepEqual(unpack(packed), pageOf(offsets))
  }
  fc.assert(
    fc.property(page, (words) => assert.ok(packPage(words).length <= PAGE_BITS / 8 + 2)),
    { seed: 2, numRuns: 300 },
  )
})

test('a packed page that ends early is none', () => {
  fc.assert(
    fc.property(page, fc.nat(), (words, at) => {
      const packed = packPage(words)
      assert.equal(unpackPage(packed.subarray(0, at % packed.length), emptyPage()), undefined)
      assert.equal(unpackPage(packed.subarray(0, -1), emptyPage()), undefined)
    }),
    { seed: 3, numRuns: 300 },
  )
})

test('whatever can be read is what packing that page writes', () => {
  const changed = fc.tuple(page, fc.nat(), fc.nat({ max: 255 })).map(([words, at, byte]) => {
    const packed = packPage(words)
    packed[at % packed.length] = byte
    return packed
  })
  const shortCount = fc.tuple(fc.nat({ max: 40 }), fc.uint8Array({ maxLength: 60 })).map(([count, bits]) => {
    return Uint8Array.from([count, 0, ...bits])
  })
  let readable = 0
  fc.assert(
    fc.property(fc.oneof(changed, shortCount, fc.uint8Array()), (bytes) => {
      const words = emptyPage()
      const length = unpackPage(bytes, words)
      if (length === undefined) return
      readable += 1
      assert.deepEqual(Buffer.from(packPage(words)), Buffer.from(bytes.subarray(0, length)))
    }),
    { seed: 4, numRuns: 2000 },
  )
  assert.ok(readable > 100, `${readable} readable`)
})
