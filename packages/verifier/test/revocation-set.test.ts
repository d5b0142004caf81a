import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { EntryBody, VerifiedToken } from '@rescind/protocol'
import fc from 'fast-check'
import { entryBody, subjectId } from '../../protocol/test/entry-arbitrary.ts'
import { RevocationSet } from '../core/revocation-set.ts'
import { claimsOf, verifiedToken } from './mint.ts'

const businessId = '11111111-0000-4000-8000-000000000000'
const userId = '22222222-0000-4000-8000-000000000000'
const otherId = '33333333-0000-4000-8000-000000000000'

function tokenOf(parts: { idx: number; business?: string | undefined; user?: string; kid?: string }): VerifiedToken {
  const { business_id: _, ...operatorClaims } = claimsOf({ idx: parts.idx, sub: parts.user ?? userId })
  const claims = parts.business === undefined ? operatorClaims : { ...operatorClaims, business_id: parts.business }
  return verifiedToken(claims, parts.kid)
}

function setOf(...bodies: readonly EntryBody[]): RevocationSet {
  const set = new RevocationSet()
  for (const body of bodies) set.apply(body)
  return set
}

const token = fc
  .record({
    idx: fc.nat({ max: 310 }),
    business: fc.option(subjectId, { nil: undefined }),
    user: subjectId,
    kid: fc.constantFrom('k', 'l'),
  })
  .map(tokenOf)

test('an empty set covers nothing', () => {
  assert.ok(!setOf().covers(tokenOf({ idx: 0, business: businessId })))
})

test('a revoked token is covered, and its neighbours are not', () => {
  const set = setOf({ kind: 'token_revoked', idx: 40 })
  assert.deepEqual(
    [39, 40, 41].map((idx) => set.covers(tokenOf({ idx }))),
    [false, true, false],
  )
})

test('whatever is covered stays covered after any further entries', () => {
  fc.assert(
    fc.property(fc.array(entryBody), fc.array(token, { minLength: 20, maxLength: 20 }), (bodies, tokens) => {
      const set = new RevocationSet()
      const covered = new Set<VerifiedToken>()
      for (const body of bodies) {
        set.apply(body)
        for (const each of tokens) {
          if (set.covers(each)) covered.add(each)
          else assert.ok(!covered.has(each))
        }
      }
    }),
    { seed: 1, numRuns: 300 },
  )
})

test('entries cover the same tokens in whatever order and however often they are applied', () => {
  const shuffled = fc
    .array(entryBody)
    .chain((bodies) =>
      fc.tuple(fc.constant(bodies), fc.shuffledSubarray([...bodies, ...bodies], { minLength: 2 * bodies.length })),
    )
  fc.assert(
    fc.property(shuffled, fc.array(token), ([bodies, again], tokens) => {
      const [once, twice] = [setOf(...bodies), setOf(...again)]
      for (const each of tokens) assert.equal(twice.covers(each), once.covers(each))
    }),
    { seed: 2 },
  )
})

test('a set covers what the entries say, read one by one', () => {
  const says = (body: EntryBody, { claims, kid }: VerifiedToken): boolean => {
    const { idx } = claims.status.status_list
    if (body.kind === 'token_revoked') return body.idx === idx
    if (body.kind === 'key_retired') return body.kid === kid
    if (body.kind === 'key_added' || body.kind === 'epoch_opened') return false
    const isSubject = body.kind === 'business_revoked' || body.userId === claims.sub
    return isSubject && body.businessId === claims.business_id && idx < body.beforeIdx
  }
  fc.assert(
    fc.property(fc.array(entryBody), fc.array(token), (bodies, tokens) => {
      const set = setOf(...bodies)
      for (const each of tokens)
        assert.equal(
          set.covers(each),
          bodies.some((body) => says(body, each)),
        )
    }),
    { seed: 3, numRuns: 300 },
  )
})

test('a cut-off covers every index below it, and none at or above', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.boolean(), (beforeIdx, wholeBusiness) => {
      const set = setOf(
        wholeBusiness
          ? { kind: 'business_revoked', businessId, beforeIdx }
          : { kind: 'member_revoked', businessId, userId, beforeIdx },
      )
      const covers = (idx: number) => set.covers(tokenOf({ idx, business: businessId }))
      for (const idx of [0, Math.floor(beforeIdx / 2), beforeIdx - 1]) {
        if (idx >= 0 && idx < beforeIdx) assert.ok(covers(idx))
      }
      assert.ok(!covers(beforeIdx))
      assert.ok(!covers(Math.min(beforeIdx + 1, Number.MAX_SAFE_INTEGER)))
    }),
    { seed: 4 },
  )
})

test('the largest of several cut-offs holds', () => {
  const bulk = (beforeIdx: number) => ({ kind: 'business_revoked', businessId, beforeIdx }) as const
  const set = setOf(bulk(10), bulk(30), bulk(20))
  assert.ok(set.covers(tokenOf({ idx: 29, business: businessId })))
  assert.ok(!set.covers(tokenOf({ idx: 30, business: businessId })))
})

test('a bulk entry reaches no other business, no other member and no operator', () => {
  const set = setOf({ kind: 'member_revoked', businessId, userId, beforeIdx: 9 })
  assert.ok(set.covers(tokenOf({ idx: 1, business: businessId })))
  assert.ok(!set.covers(tokenOf({ idx: 1, business: businessId, user: otherId })))
  assert.ok(!set.covers(tokenOf({ idx: 1, business: otherId })))
  assert.ok(!set.covers(tokenOf({ idx: 1 })))
  const business = setOf({ kind: 'business_revoked', businessId, beforeIdx: 9 })
  assert.ok(business.covers(tokenOf({ idx: 1, business: businessId, user: otherId })))
  assert.ok(!business.covers(tokenOf({ idx: 1, business: otherId })))
  assert.ok(!business.covers(tokenOf({ idx: 1 })))
})

test('a retired key covers every index of that key alone', () => {
  const set = setOf({ kind: 'key_retired', kid: 'old' })
  for (const idx of [0, 1, Number.MAX_SAFE_INTEGER]) {
    assert.ok(set.covers(tokenOf({ idx, kid: 'old' })))
    assert.ok(!set.covers(tokenOf({ idx, kid: 'new' })))
  }
})

test('an entry that could not take effect is a fault and changes nothing', () => {
  const set = new RevocationSet()
  const bad: unknown[] = [
    { kind: 'token_unrevoked', idx: 1 },
    { kind: 'token_revoked', idx: '1' },
    { kind: 'token_revoked', idx: -1 },
    { kind: 'business_revoked', businessId, beforeIdx: '9' },
    { kind: 'business_revoked', businessId, beforeIdx: Number.NaN },
    { kind: 'business_revoked', businessId: randomUUID().toUpperCase().replace(/^./, 'A'), beforeIdx: 9 },
    { kind: 'member_revoked', businessId, userId: null, beforeIdx: 9 },
    { kind: 'member_revoked', businessId, userId, beforeIdx: 9.5 },
    { kind: 'member_revoked', businessId: '', userId, beforeIdx: 9 },
  ]
  for (const body of bad) assert.throws(() => set.apply(body as EntryBody), JSON.stringify(body))
  for (const idx of [0, 1, 8]) assert.ok(!set.covers(tokenOf({ idx, business: businessId })))
})
