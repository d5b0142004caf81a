import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteReader } from '../core/byte-reader.ts'
import { ByteWriter } from '../core/byte-writer.ts'

function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter()
  write(writer)
  return writer.finish()
}

const natural = fc.oneof(
  fc.nat({ max: 300 }),
  fc.maxSafeNat(),
  fc.nat({ max: 52 }).map((n) => 2 ** n),
  fc.nat({ max: 53 }).map((n) => 2 ** n - 1),
)

test('what was written is read back, in order and to the end', () => {
  const id = fc.uuid()
  const step = fc.oneof(
    fc.record({ kind: fc.constant('natural' as const), value: natural }),
    fc.record({ kind: fc.constant('uuid' as const), value: id }),
    fc.record({ kind: fc.constant('byte' as const), value: fc.nat({ max: 255 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { size: 'large' }), (steps) => {
      const bytes = written((writer) => {
        for (const { kind, value } of steps) {
          if (kind === 'uuid') writer.uuid(value)
          else writer[kind](value)
        }
      })
      const reader = new ByteReader(bytes)
      for (const { kind, value } of steps) assert.equal(reader[kind](), value)
      assert.equal(reader.rest.length, 0)
      assert.throws(() => reader.byte(), RangeError)
    }),
    { seed: 1 },
  )
})

test('bytes of every length are kept, however many there are', () => {
  const parts = Array.from({ length: 300 }, (_, length) => new Uint8Array(length).fill(length))
  const expected = Buffer.concat(parts)
  const inOneGo = written((writer) => {
    for (const part of parts) writer.bytes(part)
  })
  const oneByOne = written((writer) => {
    for (const byte of expected) writer.byte(byte)
  })
  assert.deepEqual(Buffer.from(inOneGo), expected)
  assert.deepEqual(Buffer.from(oneByOne), expected)
})

test('a number has one spelling, and none is read that is not a safe integer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 10 }), (bytes) => {
      const reader = new ByteReader(bytes)
      let value: number
      try {
        value = reader.natural()
      } catch {
        return
      }
      const length = bytes.length - reader.rest.length
      assert.ok(Number.isSafeInteger(value))
      assert.deepEqual(
        written((writer) => writer.natural(value)),
        bytes.slice(0, length),
      )
    }),
    { seed: 2, numRuns: 2000 },
  )
  const largest = written((writer) => writer.natural(Number.MAX_SAFE_INTEGER))
  const refused = [
    [0x80, 0],
    [0xff, 0],
    [...largest.slice(0, -1), (largest.at(-1) ?? 0) + 1],
    [...Array.from({ length: 200 }, () => 0x80), 1],
    [...Array.from({ length: 200 }, () => 0x80), 0],
    [0x80],
    [],
  ]
  for (const bytes of refused) assert.throws(() => new ByteReader(Uint8Array.from(bytes)).natural(), RangeError)
})

test('nothing is read beyond the end', () => {
  const bytes = Buffer.alloc(20, 1).subarray(3, 18)
  const reads = [
    (reader: ByteReader) => reader.uuid(),
    (reader: ByteReader) => reader.hex(16),
    (reader: ByteReader) => reader.base64url(16),
    (reader: ByteReader) => reader.skip(16),
  ]
  for (const read of reads) {
    const reader = new ByteReader(bytes)
    assert.throws(() => read(reader), RangeError)
    assert.equal(reader.hex(15), '01'.repeat(15))
    assert.throws(() => reader.byte(), RangeError)
  }
})

test('an id that is not a lower-case UUID is not written', () => {
  for (const id of ['', 'x', '0B8AD6F0-6B1F-4A0F-9C5F-6F1F0A3A7C11', '0b8ad6f06b1f4a0f9c5f6f1f0a3a7c11']) {
    assert.throws(() => written((writer) => writer.uuid(id)), TypeError)
  }
})
