import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bitmap } from '../core/bitmap.ts'
import { VerifiedTokens } from '../core/verified-tokens.ts'
import { heldBytes } from './held-bytes.ts'
import { claimsOf, verifiedToken } from './mint.ts'

test('a million revoked among ten million issued take at most 4 MB', () => {
  const before = heldBytes()
  const bitmap = new Bitmap()
  for (let n = 0; n < 1_000_000; n++) bitmap.add(n * 10 + (n % 7))
  const taken = heldBytes() - before
  assert.ok(bitmap.has(10 + 1) && !bitmap.has(10))
  // Much less than one bit for each of ten million (1,250,000 bytes) would mean that the measurement missed the pages.
  assert.ok(taken >= 1_000_000 && taken <= 4_000_000, `${taken} bytes`)
})

test('a far index costs one page, not all the pages before it', () => {
  const before = heldBytes()
  const bitmap = new Bitmap()
  bitmap.add(Number.MAX_SAFE_INTEGER)
  const taken = heldBytes() - before
  assert.ok(bitmap.has(Number.MAX_SAFE_INTEGER))
  assert.ok(taken <= 100_000, `${taken} bytes`)
})

test('a remembered token keeps nothing of the text it was cut out of', () => {
  const cache = new VerifiedTokens(200)
  const verified = verifiedToken(claimsOf())
  const page = Buffer.alloc(100_000, 'a')
  const before = heldBytes()
  for (let n = 0; n < 100; n++) {
    page.write(`${n}`.padStart(8, '0'), 500)
    cache.add(page.toString('latin1').slice(400, 900), verified)
  }
  const taken = heldBytes() - before
  assert.ok(taken <= 1_000_000, `${taken} bytes`)
  page.write('00000042', 500)
  assert.equal(cache.get(page.toString('latin1').slice(400, 900)), verified)
})
