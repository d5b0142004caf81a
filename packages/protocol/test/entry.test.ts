import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  continues,
  decodeEntryBody,
  type Entry,
  type EntryBody,
  encodeEntryBody,
  entryHash,
  genesis,
  nextEntry,
  positionAfter,
} from '@rescind/protocol'
import fc from 'fast-check'
import { entryBody } from './entry-arbitrary.ts'

const EPOCH = '0b8ad6f0-6b1f-4a0f-9c5f-6f1f0a3a7c11'
const OTHER_EPOCH = '1b8ad6f0-6b1f-4a0f-9c5f-6f1f0a3a7c11'

test('a body comes back from its text, and so does its text', () => {
  fc.assert(
    fc.property(entryBody, (body) => {
      const text = encodeEntryBody(body)
      assert.deepEqual(decodeEntryBody(text), body)
      assert.equal(encodeEntryBody(decodeEntryBody(text)), text)
    }),
    { seed: 1 },
  )
})

test('a body of an unknown kind, or with a field that is not what it should be, is a fault, not an entry to pass over', () => {
  const unreadable = [
    '["token_unrevoked",1]',
    '["token_revoked"]',
    '["token_revoked",-1]',
    '["token_revoked",1.5]',
    '["token_revoked","1"]',
    '["token_revoked", 1]',
    '["token_revoked",1,2]',
    `["business_revoked","${EPOCH.toUpperCase()}A",1]`,
    `["member_revoked","${EPOCH}","x",1]`,
    '["key_retired",1]',
    '["epoch_opened"]',
    `["epoch_opened","${EPOCH}"]`,
    `["epoch_opened","${EPOCH.toUpperCase()}",1]`,
    `["epoch_opened","${EPOCH}",-1]`,
    `["epoch_opened","${EPOCH}","1"]`,
    `["epoch_opened",1,"${EPOCH}"]`,
    `["epoch_opened","${EPOCH}",1,1]`,
    '["key_added",{"kty":"OKP","crv":"Ed25519","x":"AA","kid":"other","alg":"EdDSA","use":"sig"}]',
  ]
  for (const text of unreadable) assert.throws(() => decodeEntryBody(text), /cannot read/, text)
  assert.throws(() => decodeEntryBody('not JSON'))
})

function lastOpened(bodies: readonly EntryBody[]): string | undefined {
  return bodies.findLast((body) => body.kind === 'epoch_opened')?.epoch
}

test('a log starts at number 1 and each entry continues the one before', () => {
  fc.assert(
    fc.property(fc.array(entryBody, { maxLength: 8 }), (bodies) => {
      let head = genesis(EPOCH)
      for (const [index, body] of bodies.entries()) {
        const entry = nextEntry(head, body, 1000 + index)
        assert.equal(entry.seq, index + 1)
        assert.ok(continues(head, entry))
        head = positionAfter(head, entry)
        assert.equal(head.epoch, lastOpened(bodies.slice(0, index + 1)) ?? EPOCH)
      }
    }),
    { seed: 2 },
  )
})

const hex = fc.stringMatching(/^[0-9a-f]{64}$/)
const mutation: fc.Arbitrary<Partial<Entry>> = fc.oneof(
  fc.record({ seq: fc.maxSafeInteger() }),
  fc.record({ atMs: fc.maxSafeInteger() }),
  fc.record({ prevHash: hex }),
  fc.record({ hash: hex }),
  fc.record({ body: entryBody }),
)

test('an entry changed in any one member no longer continues the log', () => {
  fc.assert(
    fc.property(entryBody, fc.nat(), mutation, (body, atMs, change) => {
      const head = genesis(EPOCH)
      const entry = nextEntry(head, body, atMs)
      const changed = { ...entry, ...change }
      fc.pre(JSON.stringify(changed) !== JSON.stringify(entry))
      assert.ok(!continues(head, changed))
    }),
    { seed: 3, numRuns: 500 },
  )
})

test('an entry with one character of a hash changed no longer continues the log', () => {
  const head = genesis(EPOCH)
  const entry = nextEntry(head, { kind: 'token_revoked', idx: 1 }, 1)
  for (const member of ['prevHash', 'hash'] as const) {
    for (let at = 0; at < 64; at++) {
      const flipped = entry[member][at] === '0' ? '1' : '0'
      const text = entry[member].slice(0, at) + flipped + entry[member].slice(at + 1)
      assert.ok(!continues(head, { ...entry, [member]: text }))
      assert.ok(!continues(head, { ...entry, [member]: entry[member].toUpperCase() }))
    }
  }
})

test('an entry whose hash was made anew for another predecessor is refused', () => {
  const head = genesis(EPOCH)
  const entry = nextEntry({ ...head, hash: 'f'.repeat(64) }, { kind: 'token_revoked', idx: 1 }, 1)
  assert.equal(entry.hash, entryHash(entry.prevHash, entry.seq, entry.atMs, entry.body))
  assert.ok(!continues(head, entry))
})

test('an entry of another epoch is refused', () => {
  const entry = nextEntry(genesis(OTHER_EPOCH), { kind: 'token_revoked', idx: 1 }, 1)
  assert.ok(continues(genesis(OTHER_EPOCH), entry))
  assert.ok(!continues(genesis(EPOCH), entry))
})

test('from the entry on that opens an epoch, positions name it, and the chain goes on', () => {
  const before = genesis(EPOCH)
  const opening = nextEntry(before, { kind: 'epoch_opened', epoch: OTHER_EPOCH, beforeIdx: 3 }, 1)
  assert.ok(continues(before, opening))
  const opened = positionAfter(before, opening)
  assert.deepEqual(opened, { epoch: OTHER_EPOCH, seq: 1, hash: opening.hash })
  const next = nextEntry(opened, { kind: 'token_revoked', idx: 1 }, 2)
  assert.ok(continues(opened, next))
  assert.deepEqual(positionAfter(opened, next), { epoch: OTHER_EPOCH, seq: 2, hash: next.hash })
  assert.ok(!continues(genesis(OTHER_EPOCH), opening))
})

test('the texts and hashes of a log never change, since stored logs are read with them', () => {
  const id = '11111111-0000-4000-8000-000000000000'
  assert.equal(encodeEntryBody({ kind: 'token_revoked', idx: 7 }), '["token_revoked",7]')
  assert.equal(
    encodeEntryBody({ beforeIdx: 9, businessId: id, kind: 'business_revoked' }),
    `["business_revoked","${id}",9]`,
  )
  assert.equal(
    encodeEntryBody({ userId: id, beforeIdx: 9, kind: 'member_revoked', businessId: id }),
    `["member_revoked","${id}","${id}",9]`,
  )
  assert.equal(encodeEntryBody({ kind: 'key_retired', kid: 'k' }), '["key_retired","k"]')
  assert.equal(encodeEntryBody({ beforeIdx: 9, epoch: id, kind: 'epoch_opened' }), `["epoch_opened","${id}",9]`)
  const entry = nextEntry(genesis(EPOCH), { kind: 'token_revoked', idx: 7 }, 1_700_000_000_000)
  assert.equal(entry.prevHash, 'f0d7bcbc07313231359f28b0d6e99a7429c73c3f7c46a3beca4b464a94c0c6cb')
  assert.equal(entry.hash, 'e7d2424421e5c1a2254d98a06e7d197c40288566ccc568438669cb02626e59a9')
})
