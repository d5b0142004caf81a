import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Bitmap } from '../bitmap.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

function heldBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

test('a million revoked among ten million issued take at most 4 MB', () => {
  const before = heldBytes()
  const bitmap = new Bitmap()
  for (let n = 0; n < 1_000_000; n++) bitmap.add(n * 10 + (n % 7))
  const taken = heldBytes() - before
  assert.ok(bitmap.has(10 + 1) && !bitmap.has(10))
  assert.ok(taken <= 4_000_000, `${taken} bytes`)
})

test('a far index costs one page, not all the pages before it', () => {
  const before = heldBytes()
  const bitmap = new Bitmap()
  bitmap.add(Number.MAX_SAFE_INTEGER)
  const taken = heldBytes() - before
  assert.ok(bitmap.has(Number.MAX_SAFE_INTEGER))
  assert.ok(taken <= 100_000, `${taken} bytes`)
})
