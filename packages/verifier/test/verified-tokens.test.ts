import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VerifiedToken } from '@rescind/protocol'
import { VerifiedTokens } from '../core/verified-tokens.ts'
import { claimsOf, verifiedToken } from './mint.ts'

const verified = (): VerifiedToken => verifiedToken(claimsOf())

function heldBy(cache: VerifiedTokens, count: number): number {
  return Array.from({ length: count }, (_, n) => cache.get(`t${n}`)).filter((token) => token !== undefined).length
}

test('a token is found by its whole string only', () => {
  const cache = new VerifiedTokens(10)
  const token = verified()
  cache.add('dz_a.b.c', token)
  assert.equal(cache.get('dz_a.b.c'), token)
  for (const other of ['dz_a.b.', 'dz_a.b.cc', 'DZ_a.b.c', 'a.b.c', '']) assert.equal(cache.get(other), undefined)
})

test('never more tokens are held than the limit', () => {
  for (const limit of [0, 1, 2, 3, 10, 11]) {
    const cache = new VerifiedTokens(limit)
    for (let n = 0; n < 100; n++) {
      cache.add(`t${n}`, verified())
      assert.ok(heldBy(cache, n + 1) <= limit)
    }
  }
})

test('a token in use outlives any number of tokens seen once', () => {
  const cache = new VerifiedTokens(10)
  const token = verified()
  cache.add('in use', token)
  for (let n = 0; n < 100; n++) {
    cache.add(`t${n}`, verified())
    assert.equal(cache.get('in use'), token)
  }
})

test('a limit that bounds nothing is refused', () => {
  for (const limit of [Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5]) {
    assert.throws(() => new VerifiedTokens(limit), RangeError)
  }
})
