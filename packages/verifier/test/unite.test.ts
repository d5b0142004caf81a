import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EntryBody, genesis, nextEntry, statusListUri } from '@rescind/protocol'
import { type DecodedSnapshot, decodeSnapshot, type LocalVerifier, LogMismatch } from '@rescind/verifier/core'
import fc from 'fast-check'
import { bodies, tokens, withLog } from './applied-arbitrary.ts'
import { indexesOf } from './index-arbitrary.ts'
import { claimsOf, createSigner, EPOCH, installation, outcome } from './mint.ts'

const OTHER_EPOCH = '1b8ad6f0-6b1f-4a0f-9c5f-6f1f0a3a7c11'

const signer = createSigner()
const revoke = (idx: number) => ({ kind: 'token_revoked', idx }) as const
const add = { kind: 'key_added', jwk: signer.jwk } as const
const retire = { kind: 'key_retired', kid: signer.jwk.kid } as const

function snapshotOf(verifier: LocalVerifier): DecodedSnapshot {
  return decodeSnapshot(verifier.snapshot().bytes) ?? assert.fail('The snapshot cannot be read')
}

/** A verifier that applied the first entries and was united with those that applied the others. */
function united(own: readonly EntryBody[], ...others: readonly (readonly EntryBody[])[]): LocalVerifier {
  const { verifier } = withLog(own)
  for (const entries of others) verifier.unite(snapshotOf(withLog(entries).verifier))
  return verifier
}

/** All that was applied, without where it ended and in which order the keys came. */
function contentOf(verifier: LocalVerifier): unknown {
  const { keys, bulkEntries, pages } = { ...snapshotOf(verifier), pages: snapshotOf(verifier).pages() }
  return { kids: keys.map(({ kid }) => kid).sort(), bulkEntries, indexes: [...pages].flatMap(indexesOf) }
}

test('a verifier united with another has applied what both have, whichever of them it was', () => {
  fc.assert(
    fc.property(bodies, bodies, bodies, (one, other, third) => {
      const both = contentOf(united(one, other))
      assert.deepEqual(both, contentOf(withLog([...one, ...other]).verifier))
      assert.deepEqual(both, contentOf(united(other, one)))
      assert.deepEqual(contentOf(united(one, other, third)), contentOf(united(third, [...other, ...one])))
    }),
    { seed: 1, numRuns: 60 },
  )
})

test('uniting once more changes nothing', () => {
  fc.assert(
    fc.property(bodies, bodies, (one, other) => {
      const verifier = united(one, other)
      const before = verifier.snapshot()
      verifier.unite(snapshotOf(withLog(other).verifier))
      assert.deepEqual(verifier.snapshot(), before)
      verifier.unite(snapshotOf(verifier))
      assert.deepEqual(verifier.snapshot(), before)
      assert.deepEqual(united(one, one).snapshot(), withLog(one).verifier.snapshot())
    }),
    { seed: 2, numRuns: 60 },
  )
})

test('what one of two verifiers rejects as revoked is rejected by the one united with the other', () => {
  fc.assert(
    fc.property(bodies, bodies, tokens, (one, other, presented) => {
      const [first, second] = [withLog(one).verifier, withLog(other).verifier]
      const revoked = presented.filter((token) =>
        [first, second].some((verifier) => outcome(verifier, token) === 'revoked'),
      )
      const retired = [first, second].flatMap((verifier) => {
        const kids = verifier.jwks().map(({ kid }) => kid)
        return snapshotOf(verifier).keys.filter(({ kid }) => !kids.includes(kid))
      })
      first.unite(snapshotOf(second))
      // A log that was put back may not even know of the token.
      const canBeUnknown = [...one, ...other].some(({ kind }) => kind === 'epoch_opened')
      for (const token of revoked) {
        const reason = outcome(first, token)
        assert.ok(reason === 'revoked' || (canBeUnknown && reason === 'wrong_issuer'), reason)
      }
      for (const { kid } of retired) assert.ok(first.jwks().every((jwk) => jwk.kid !== kid))
    }),
    { seed: 3, numRuns: 60 },
  )
})

test('the position becomes that of the snapshot, backwards too, and entries applied before are applied again', () => {
  const state = installation([signer])
  const { verifier } = state
  const early = snapshotOf(verifier)
  const token = signer.mint(claimsOf({ idx: 1 }))
  const spared = signer.mint(claimsOf({ idx: 2 }))
  assert.equal(outcome(verifier, token), 'valid')
  const entry = nextEntry(verifier.position, revoke(1), 1)
  verifier.apply([entry])
  const late = verifier.snapshot()
  verifier.unite(early)
  assert.deepEqual(verifier.position, early.position)
  assert.deepEqual(
    [token, spared].map((each) => outcome(verifier, each)),
    ['revoked', 'valid'],
  )
  verifier.apply([entry])
  assert.deepEqual(verifier.snapshot(), late)
})

test('a retired key stays retired when a snapshot has it in use, and a key in use is retired when a snapshot says so', () => {
  const next = createSigner()
  const token = signer.mint(claimsOf())
  const inUse = [add, { kind: 'key_added', jwk: next.jwk } as const]
  for (const verifier of [united([...inUse, retire], inUse), united(inUse, [retire]), united([retire], inUse)]) {
    assert.deepEqual(verifier.jwks(), [next.jwk])
    assert.equal(outcome(verifier, token), 'revoked')
    assert.equal(outcome(verifier, next.mint(claimsOf())), 'valid')
  }
})

test('keys that a snapshot brings come after those that were known, in its order', () => {
  const [first, second, third] = [createSigner().jwk, createSigner('ES256').jwk, createSigner().jwk]
  const added = (...jwks: (typeof first)[]) => jwks.map((jwk) => ({ kind: 'key_added', jwk }) as const)
  assert.deepEqual(united(added(first), added(third, first, second)).jwks(), [first, third, second])
})

test('after a change of epoch everything revoked is still revoked, and tokens of the old epoch are void, remembered or not', () => {
  const [businessId, userId, colleague] = [claimsOf().sub, claimsOf().sub, claimsOf().sub]
  const state = installation([signer])
  state.log(revoke(3), { kind: 'member_revoked', businessId, userId, beforeIdx: 100 })
  const { verifier } = state
  const cases = [
    { idx: 3, sub: colleague, is: 'revoked' },
    { idx: 4, sub: colleague, is: 'valid' },
    { idx: 5, sub: colleague, is: 'revoked by the new log' },
    { idx: 99, sub: userId, is: 'revoked' },
    { idx: 100, sub: userId, is: 'valid' },
  ]
  const mint = (epoch: string) =>
    cases.map(({ idx, sub }) => signer.mint(claimsOf({ idx, sub, business_id: businessId, uri: statusListUri(epoch) })))
  const [remembered, unseen, ofNew] = [mint(EPOCH), mint(EPOCH), mint(OTHER_EPOCH)]
  const outcomes = (presented: readonly string[]) => presented.map((token) => outcome(verifier, token))
  assert.deepEqual(outcomes(remembered), ['revoked', 'valid', 'valid', 'revoked', 'valid'])
  assert.deepEqual(
    outcomes(ofNew),
    cases.map(() => 'wrong_issuer'),
  )

  verifier.unite(snapshotOf(withLog([add, revoke(5)], OTHER_EPOCH).verifier))
  assert.deepEqual(
    outcomes(remembered),
    cases.map(() => 'wrong_issuer'),
  )
  assert.deepEqual(
    outcomes(unseen),
    cases.map(() => 'wrong_issuer'),
  )
  assert.deepEqual(outcomes(ofNew), ['revoked', 'valid', 'revoked', 'revoked', 'valid'])
})

test('after a change of epoch the log goes on from the snapshot, in the new epoch alone', () => {
  const { verifier } = installation([signer])
  const old = nextEntry(verifier.position, revoke(1), 1)
  const other = withLog([add, revoke(5)], OTHER_EPOCH)
  verifier.unite(snapshotOf(other.verifier))
  assert.deepEqual(verifier.position, other.verifier.position)
  const entries: ReturnType<typeof nextEntry>[] = []
  let head = verifier.position
  for (const idx of [6, 7]) {
    const entry = nextEntry(head, revoke(idx), 1)
    entries.push(entry)
    head = { epoch: OTHER_EPOCH, seq: entry.seq, hash: entry.hash }
  }
  for (const wrong of [old, nextEntry(genesis(OTHER_EPOCH), revoke(1), 1)]) {
    assert.throws(() => verifier.apply([wrong]), LogMismatch)
  }
  verifier.apply(entries)
  assert.deepEqual(verifier.position, head)
  const ofNew = (idx: number) => signer.mint(claimsOf({ idx, uri: statusListUri(OTHER_EPOCH) }))
  assert.deepEqual(
    [5, 6, 7, 8].map((idx) => outcome(verifier, ofNew(idx))),
    ['revoked', 'revoked', 'revoked', 'valid'],
  )
})

test('within an epoch, remembered tokens are still accepted after uniting', () => {
  const { verifier } = installation([signer])
  const token = signer.mint(claimsOf({ idx: 1 }))
  assert.equal(outcome(verifier, token), 'valid')
  verifier.unite(snapshotOf(withLog([add, revoke(2)]).verifier))
  assert.equal(outcome(verifier, token), 'valid')
})

test('a snapshot with a key that is none changes nothing', () => {
  const [good, bad] = [createSigner().jwk, createSigner('ES256').jwk]
  const { verifier: maker } = withLog(
    [{ kind: 'key_added', jwk: good }, { kind: 'key_added', jwk: bad }, revoke(1), retire],
    OTHER_EPOCH,
  )
  const bytes = Buffer.from(maker.snapshot().bytes)
  const y = bytes.indexOf(Buffer.from('y' in bad ? bad.y : '', 'base64url'))
  // With either of the two values of y for an x changed, no point of the curve is left.
  bytes.writeUInt8(bytes.readUInt8(y + 31) ^ 1, y + 31)
  const snapshot = decodeSnapshot(bytes) ?? assert.fail('The snapshot cannot be read')
  const { verifier } = installation([signer])
  const token = signer.mint(claimsOf({ idx: 1 }))
  assert.equal(outcome(verifier, token), 'valid')
  const before = verifier.snapshot()
  assert.throws(() => verifier.unite(snapshot))
  assert.deepEqual(verifier.snapshot(), before)
  assert.deepEqual(verifier.jwks(), [signer.jwk])
  assert.equal(outcome(verifier, token), 'valid')
})
