import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { type EntryBody, encodeBase64url, genesis, nextEntry, publicJwk, type VerifiedToken } from '@rescind/protocol'
import { type DecodedSnapshot, decodeSnapshot } from '@rescind/verifier/core'
import fc from 'fast-check'
import { Bitmap, emptyPage, LAST_PAGE } from '../core/bitmap.ts'
import { ByteWriter } from '../core/byte-writer.ts'
import type { FormerEpoch } from '../core/epochs.ts'
import { type BulkEntry, RevocationSet } from '../core/revocation-set.ts'
import { encodeSnapshot } from '../core/snapshot.ts'
import { bodies, SUBJECTS, signers, tokens, verdicts, withLog } from './applied-arbitrary.ts'
import { heldBytes } from './held-bytes.ts'
import { claimsOf, EPOCH, installation, verifiedToken } from './mint.ts'
import { randomFrom } from './random-from.ts'

const POSITION = { epoch: EPOCH, seq: 77, hash: hash('sha256', 'an entry', 'hex') }

function decoded(bytes: Uint8Array): DecodedSnapshot {
  return decodeSnapshot(bytes) ?? assert.fail('The snapshot cannot be read')
}

function encodedAgain(snapshot: DecodedSnapshot): Uint8Array {
  return encodeSnapshot({ ...snapshot, pages: [...snapshot.pages()] }).bytes
}

function setOf(entries: readonly EntryBody[]): RevocationSet {
  const set = new RevocationSet()
  for (const each of entries) set.apply(each)
  return set
}

test('a verifier united with a snapshot stands and decides like the one that made it, then and later', () => {
  fc.assert(
    fc.property(bodies, bodies, tokens, (applied, later, presented) => {
      const { verifier } = withLog(applied)
      const snapshot = verifier.snapshot()
      assert.equal(snapshot.position, verifier.position)
      assert.equal(snapshot.sha256, hash('sha256', snapshot.bytes, 'hex'))
      const { verifier: other } = installation([])
      other.unite(decoded(snapshot.bytes))
      const areAlike = () => {
        assert.deepEqual(other.position, verifier.position)
        assert.deepEqual(other.jwks(), verifier.jwks())
        assert.deepEqual(other.snapshot(), verifier.snapshot())
        assert.deepEqual(verdicts(other, presented), verdicts(verifier, presented))
      }
      areAlike()
      for (const body of later) {
        const entry = nextEntry(verifier.position, body, 1)
        verifier.apply([entry])
        other.apply([entry])
      }
      areAlike()
    }),
    { seed: 1, numRuns: 60 },
  )
})

test('a snapshot revokes every index that its verifier revokes, and none beside it', () => {
  const [base, otherKid] = [claimsOf(), encodeBase64url(Buffer.alloc(32))]
  fc.assert(
    fc.property(bodies, (applied) => {
      const set = setOf(applied)
      const { bytes } = encodeSnapshot({
        position: POSITION,
        formerEpochs: [],
        keys: [],
        bulkEntries: set.bulkEntries(),
        pages: set.pages(),
      })
      const other = setOf(decoded(bytes).bulkEntries)
      for (const page of decoded(bytes).pages()) other.applyPage(page)
      for (const token of tokensAround(applied)) assert.equal(other.covers(token), set.covers(token))
    }),
    { seed: 2, numRuns: 60 },
  )

  function* tokensAround(entries: readonly EntryBody[]): Iterable<VerifiedToken> {
    const kids = entries.flatMap((each) => (each.kind === 'key_retired' ? [each.kid] : []))
    for (const idx of indexesAround(entries)) {
      const status = { status_list: { idx, uri: '' } }
      for (const business_id of SUBJECTS) {
        for (const sub of SUBJECTS) yield verifiedToken({ ...base, business_id, sub, status }, otherKid)
      }
      for (const kid of new Set(kids)) yield verifiedToken({ ...base, status }, kid)
    }
  }

  function indexesAround(entries: readonly EntryBody[]): Iterable<number> {
    const named = entries.flatMap((each) => ('idx' in each ? [each.idx] : 'beforeIdx' in each ? [each.beforeIdx] : []))
    const around = named.flatMap((idx) => [-32_768, -32, -1, 0, 1, 32, 32_768].map((distance) => idx + distance))
    const small = Array.from({ length: 310 }, (_, idx) => idx)
    return new Set([...small, ...around.filter((idx) => Number.isSafeInteger(idx) && idx >= 0)])
  }
})

test('the same state has the same bytes, however it was reached', () => {
  const keys = signers.map(({ jwk }) => ({ kind: 'key_added', jwk }) as const)
  const shuffled = bodies
    .map((all) => all.filter(({ kind }) => kind !== 'key_added' && kind !== 'epoch_opened'))
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })))
  const empty = decoded(
    encodeSnapshot({ position: POSITION, formerEpochs: [], keys: [], bulkEntries: [], pages: [] }).bytes,
  )
  fc.assert(
    fc.property(shuffled, ([once, twice]) => {
      const [one, other] = [once, twice].map((entries) => {
        const { verifier } = withLog([...keys, ...entries])
        verifier.unite(empty)
        return verifier.snapshot()
      })
      assert.deepEqual(one, other)
    }),
    { seed: 3, numRuns: 60 },
  )
})

test('a snapshot that ends early or goes on is none', () => {
  fc.assert(
    fc.property(bodies, fc.uint8Array({ minLength: 1, maxLength: 3 }), (applied, more) => {
      const { bytes } = withLog(applied).verifier.snapshot()
      for (let length = 0; length < bytes.length; length++) {
        assert.equal(decodeSnapshot(bytes.subarray(0, length)), undefined)
      }
      assert.equal(decodeSnapshot(Buffer.concat([bytes, more])), undefined)
    }),
    { seed: 4, numRuns: 60 },
  )
})

test('of damaged snapshots, those that can be read are what their content is written as, and unite whole or not at all', () => {
  const damaged = fc
    .tuple(bodies, fc.nat(), fc.nat({ max: 2 }), fc.uint8Array({ minLength: 1, maxLength: 2 }))
    .map(([applied, at, removed, put]) => {
      const bytes = Buffer.from(withLog(applied).verifier.snapshot().bytes)
      const start = at % bytes.length
      return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + removed)])
    })
  const [verifier, seen] = [installation(signers).verifier, { unreadable: 0, refused: 0, united: 0 }]
  fc.assert(
    fc.property(damaged, (bytes) => {
      const snapshot = decodeSnapshot(bytes)
      if (snapshot === undefined) {
        seen.unreadable += 1
        return
      }
      assert.deepEqual(Buffer.from(encodedAgain(snapshot)), bytes)
      const before = verifier.snapshot()
      try {
        verifier.unite(snapshot)
      } catch {
        seen.refused += 1
        assert.deepEqual(verifier.snapshot(), before)
        return
      }
      seen.united += 1
      assert.equal(verifier.position, snapshot.position)
    }),
    { seed: 5, numRuns: 1000 },
  )
  for (const [what, count] of Object.entries(seen)) assert.ok(count >= 5, `${what}: ${count}`)
})

/** Writes the sections after the former epochs. */
function handmade(
  write: (writer: ByteWriter) => void,
  version = 2,
  formerEpochs: readonly FormerEpoch[] = [],
): Uint8Array {
  const writer = new ByteWriter()
  writer.byte(version)
  writer.uuid(POSITION.epoch)
  writer.natural(POSITION.seq)
  writer.hex(POSITION.hash)
  writer.natural(formerEpochs.length)
  for (const { epoch, beforeIdx } of formerEpochs) {
    writer.uuid(epoch)
    writer.natural(beforeIdx)
  }
  write(writer)
  return writer.finish()
}

test('a snapshot of another version, with what is unknown, out of order, without effect or too large is none', () => {
  const [businessId = '', otherId = ''] = SUBJECTS
  const key = (writer: ByteWriter, algorithm: number) => {
    writer.byte(algorithm)
    for (const _ of Array(algorithm + 1)) writer.bytes(Buffer.alloc(32, 7))
  }
  const keys = (...algorithms: number[]) =>
    handmade((writer) => {
      writer.natural(algorithms.length)
      for (const each of algorithms) key(writer, each)
      writer.natural(0)
      writer.natural(0)
    })
  const business = (id: string, beforeIdx: number, kind = 1) => ({ id, beforeIdx, kind })
  const bulk = (...entries: ReturnType<typeof business>[]) =>
    handmade((writer) => {
      writer.natural(0)
      writer.natural(entries.length)
      for (const { id, beforeIdx, kind } of entries) {
        writer.byte(kind)
        writer.uuid(id)
        if (kind === 2) writer.uuid(id)
        writer.natural(beforeIdx)
      }
      writer.natural(0)
    })
  const pages = (...numbers: number[]) =>
    handmade((writer) => {
      writer.natural(0)
      writer.natural(0)
      writer.natural(numbers.length)
      for (const each of numbers) {
        writer.natural(each)
        writer.bytes(Buffer.from([0xff, 0x7f]))
      }
    })
  const nothing = (version: number) => handmade((writer) => writer.bytes(Buffer.alloc(3)), version)
  const epochs = (...all: readonly string[]) =>
    handmade(
      (writer) => writer.bytes(Buffer.alloc(3)),
      2,
      all.map((epoch, beforeIdx) => ({ epoch, beforeIdx })),
    )
  const manyEpochs = Array.from({ length: 1025 }, (_, n) => `${n}`.padStart(8, '0') + EPOCH.slice(8))
  const good = [
    nothing(2),
    epochs(businessId, otherId),
    epochs(...manyEpochs.slice(1)),
    keys(0, 1),
    bulk(business(businessId, 1), business(otherId, 1), business(businessId, 1, 2)),
    pages(0, 0, LAST_PAGE - 2),
  ]
  for (const bytes of good) assert.deepEqual(encodedAgain(decoded(bytes)), bytes)
  const bad = [
    nothing(0),
    nothing(1),
    nothing(3),
    epochs(businessId, businessId),
    epochs(businessId, EPOCH),
    epochs(...manyEpochs),
    keys(0, 0),
    keys(1, 0, 1),
    keys(2),
    bulk(business(businessId, 0)),
    bulk(business(businessId, 1), business(businessId, 1)),
    bulk(business(businessId, 1), business(businessId, 2)),
    bulk(business(otherId, 1), business(businessId, 1)),
    bulk(business(businessId, 1, 2), business(businessId, 1)),
    bulk(business(businessId, 1, 3)),
    pages(LAST_PAGE + 1),
    pages(0, 0, LAST_PAGE - 1),
    pages(Number.MAX_SAFE_INTEGER),
  ]
  for (const [at, bytes] of bad.entries()) assert.equal(decodeSnapshot(bytes), undefined, `${at}`)
})

test('what there is room for, not what is announced, is read', () => {
  for (const sections of [0, 1, 2]) {
    const bytes = handmade((writer) => {
      for (let n = 0; n < sections; n++) writer.natural(0)
      writer.natural(Number.MAX_SAFE_INTEGER)
      writer.bytes(Buffer.alloc(100))
    })
    assert.equal(decodeSnapshot(bytes), undefined)
  }
})

test('a snapshot read takes no more memory than its bytes, however much is in them', () => {
  const bytes = handmade((writer) => {
    writer.natural(0)
    writer.natural(0)
    writer.natural(100_000)
    for (let n = 0; n < 100_000; n++) writer.bytes(Buffer.from([0, 0xff, 0x7f]))
  })
  const before = heldBytes()
  const snapshot = decoded(bytes)
  const taken = heldBytes() - before
  assert.ok(taken >= bytes.length / 2 && taken <= 2 * bytes.length, `${taken} bytes for ${bytes.length}`)
  let pages = 0
  for (const { words } of snapshot.pages()) pages += words[1023] === -1 ? 1 : 0
  assert.equal(pages, 100_000)
})

test('a snapshot that was read does not change with the bytes it was read from', () => {
  const state = installation(signers)
  state.log({ kind: 'token_revoked', idx: 40_000 }, { kind: 'key_retired', kid: signers[0]?.jwk.kid ?? '' })
  const { bytes } = state.verifier.snapshot()
  const snapshot = decoded(bytes)
  const expected = bytes.slice()
  bytes.fill(0xff)
  assert.deepEqual(encodedAgain(snapshot), expected)
})

test('a million revoked among ten million issued make at most 600 kB, and a thousand at most 3 kB', () => {
  for (const [revoked, most] of [
    [1_000_000, 600_000],
    [1_000, 3_000],
  ] as const) {
    const random = randomFrom(1)
    const bitmap = new Bitmap()
    for (let left = revoked; left > 0; ) {
      const idx = Math.floor(random() * 10_000_000)
      if (bitmap.has(idx)) continue
      bitmap.add(idx)
      left -= 1
    }
    const { bytes } = encodeSnapshot({
      position: POSITION,
      formerEpochs: [],
      keys: [],
      bulkEntries: [],
      pages: bitmap.pages(),
    })
    assert.ok(bytes.length <= most, `${bytes.length} bytes`)
    const again = new Bitmap()
    for (const page of decoded(bytes).pages()) again.addPage(page)
    assert.deepEqual(again.pages(), bitmap.pages())
  }
})

test('the bytes of a snapshot never change, since verifiers of other versions read them', () => {
  const x = encodeBase64url(Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex'))
  const ed25519 = publicJwk({ kty: 'OKP', crv: 'Ed25519', x })
  // RFC 7515 appendix A.3.
  const p256 = publicJwk({
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  })
  const [businessId = '', userId = ''] = SUBJECTS
  const bulkEntries: readonly BulkEntry[] = [
    { kind: 'member_revoked', businessId, userId, beforeIdx: 300 },
    { kind: 'business_revoked', businessId: userId, beforeIdx: 2 ** 40 },
    { kind: 'key_retired', kid: ed25519.kid },
    { kind: 'key_retired', kid: 'of no key' },
    { kind: 'business_revoked', businessId, beforeIdx: 0 },
  ]
  const first = emptyPage()
  first[0] = 0b1001
  first[1023] = 1 << 31
  const pages = [
    { number: 0, words: first },
    { number: 3, words: emptyPage().fill(-1, 1) },
  ]
  const formerEpochs = [{ epoch: userId, beforeIdx: 300 }]
  const position = genesis(EPOCH)
  const { bytes, sha256 } = encodeSnapshot({ position, formerEpochs, keys: [p256, ed25519], bulkEntries, pages })
  const expected = [
    ['02', '0b8ad6f06b1f4a0f9c5f6f1f0a3a7c11', '00'],
    ['f0d7bcbc07313231359f28b0d6e99a7429c73c3f7c46a3beca4b464a94c0c6cb'],
    ['01', '22222222000040008000000000000000', 'ac02'],
    ['02'],
    ['01', '7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445'],
    ['c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad'],
    ['00', 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'],
    ['03'],
    ['00', '90facafea9b1556698540f70c0117a22ea37bd5cf3ed3c47093c1707282b4b89'],
    ['01', '22222222000040008000000000000000', '808080808020'],
    ['02', '11111111000040008000000000000000', '22222222000040008000000000000000', 'ac02'],
    ['02'],
    ['00', '0200', '01400180fb1f'],
    ['02', 'df7f', '0104104000'.repeat(8)],
  ]
  assert.equal(Buffer.from(bytes).toString('hex'), expected.flat().join(''))
  assert.equal(sha256, hash('sha256', bytes, 'hex'))
})
