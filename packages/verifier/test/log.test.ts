import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Entry,
  type EntryBody,
  entryHash,
  genesis,
  nextEntry,
  type Position,
  positionAfter,
} from '@rescind/protocol'
import { LogMismatch } from '@rescind/verifier/core'
import fc from 'fast-check'
import { entryBody } from '../../protocol/test/entry-arbitrary.ts'
import { claimsOf, createSigner, EPOCH, installation, outcome } from './mint.ts'

const signer = createSigner()

function chain(from: Position, ...bodies: readonly EntryBody[]): readonly Entry[] {
  const entries: Entry[] = []
  let head = from
  for (const body of bodies) {
    const entry = nextEntry(head, body, 1)
    entries.push(entry)
    head = positionAfter(head, entry)
  }
  return entries
}

const revoke = (idx: number) => ({ kind: 'token_revoked', idx }) as const
const reasonOf = (reason: LogMismatch['reason']) => (error: unknown) =>
  error instanceof LogMismatch && error.reason === reason

test('the position starts at genesis and follows every entry applied', () => {
  const { verifier } = installation([])
  assert.deepEqual(verifier.position, genesis(EPOCH))
  const entries = chain(genesis(EPOCH), revoke(1), revoke(2), revoke(3))
  verifier.apply([])
  assert.deepEqual(verifier.position, genesis(EPOCH))
  verifier.apply(entries.slice(0, 1))
  verifier.apply(entries.slice(1))
  assert.deepEqual(verifier.position, { epoch: EPOCH, seq: 3, hash: entries[2]?.hash })
})

test('a gap, a repetition and an entry out of order are refused and not applied', () => {
  const { verifier, log } = installation([signer])
  log(revoke(1))
  const before = verifier.position
  const entries = chain(before, revoke(2), revoke(3))
  for (const wrong of [entries.slice(1), entries.toReversed(), chain(genesis(EPOCH), revoke(2))]) {
    assert.throws(() => verifier.apply(wrong), reasonOf('not_next'))
    assert.equal(verifier.position, before)
  }
  for (const idx of [2, 3]) assert.equal(outcome(verifier, signer.mint(claimsOf({ idx }))), 'valid')
  verifier.apply(entries)
  for (const idx of [2, 3]) assert.equal(outcome(verifier, signer.mint(claimsOf({ idx }))), 'revoked')
})

test('an entry of another epoch or another history is refused and not applied', () => {
  const { verifier } = installation([])
  const otherEpoch = chain(genesis(EPOCH.replace('0', '1')), revoke(1))
  assert.throws(() => verifier.apply(otherEpoch), reasonOf('broken_chain'))
  verifier.apply(chain(genesis(EPOCH), revoke(1)))
  const [, otherHistory] = chain(genesis(EPOCH), revoke(7), revoke(2))
  assert.ok(otherHistory)
  assert.throws(() => verifier.apply([otherHistory]), reasonOf('broken_chain'))
  assert.equal(verifier.position.seq, 1)
})

test('of several entries, those before the wrong one are applied and it and those after are not', () => {
  const { verifier, log } = installation([signer])
  log(revoke(100))
  const entries = chain(verifier.position, revoke(1), revoke(2), revoke(3))
  const [first, second, third] = entries
  assert.ok(first && second && third)
  assert.throws(() => verifier.apply([first, { ...second, body: revoke(9) }, third]), LogMismatch)
  assert.deepEqual(verifier.position, { epoch: EPOCH, seq: first.seq, hash: first.hash })
  const outcomes = [1, 2, 3, 9].map((idx) => outcome(verifier, signer.mint(claimsOf({ idx }))))
  assert.deepEqual(outcomes, ['revoked', 'valid', 'valid', 'valid'])
  verifier.apply([second, third])
  assert.equal(outcome(verifier, signer.mint(claimsOf({ idx: 3 }))), 'revoked')
})

test('the error says where the verifier stands', () => {
  const { verifier } = installation([])
  const [, second] = chain(genesis(EPOCH), revoke(1), revoke(2))
  assert.ok(second)
  assert.throws(
    () => verifier.apply([second]),
    (error) =>
      error instanceof LogMismatch &&
      error.position.seq === 0 &&
      error.message === 'Entry 2 does not continue the log at 0',
  )
})

test('an entry that cannot take effect is a fault, and the position stays before it', () => {
  const { verifier } = installation([signer])
  const before = verifier.position
  const other = createSigner().jwk
  const unknown = { kind: 'token_unrevoked', idx: 1 }
  const faults: unknown[] = [{ kind: 'key_added', jwk: { ...signer.jwk, kid: other.kid } }, revoke(-1), unknown]
  for (const body of faults) {
    const seq = before.seq + 1
    const hash = entryHash(before.hash, seq, 1, body as EntryBody)
    const entry: Entry = { seq, atMs: 1, body: body as EntryBody, prevHash: before.hash, hash }
    assert.throws(() => verifier.apply([entry]))
    assert.equal(verifier.position, before)
  }
  assert.deepEqual(verifier.jwks(), [signer.jwk])
})

test('no entry changed in any one member is applied', () => {
  const hex = fc.stringMatching(/^[0-9a-f]{64}$/)
  const change: fc.Arbitrary<Partial<Entry>> = fc.oneof(
    fc.record({ seq: fc.integer({ min: -3, max: 5 }) }),
    fc.record({ atMs: fc.nat() }),
    fc.record({ prevHash: hex }),
    fc.record({ hash: hex }),
    fc.record({ body: entryBody }),
  )
  fc.assert(
    fc.property(entryBody, change, (body, changes) => {
      const { verifier } = installation([signer])
      const before = verifier.position
      const entry = nextEntry(before, body, 7)
      const changed = { ...entry, ...changes }
      fc.pre(JSON.stringify(changed) !== JSON.stringify(entry))
      assert.throws(() => verifier.apply([changed]), LogMismatch)
      assert.equal(verifier.position, before)
      verifier.apply([entry])
      assert.equal(verifier.position.seq, before.seq + 1)
    }),
    { seed: 1, numRuns: 300 },
  )
})
