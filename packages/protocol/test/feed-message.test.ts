import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeServiceMessage,
  decodeVerifierMessage,
  encodeServiceMessage,
  encodeVerifierMessage,
  genesis,
  MAX_FEED_MESSAGE_BYTES,
  MAX_FORMER_IDS,
  MAX_USES,
  nextEntry,
  type ServiceMessage,
  type VerifierMessage,
} from '@rescind/protocol'
import fc from 'fast-check'
import { randomFrom } from '../../verifier/test/random-from.ts'
import { serviceMessage, verifierMessage } from './feed-message-arbitrary.ts'
import { Mutator } from './mutator.ts'

const EPOCH = '0b8ad6f0-6b1f-4a0f-9c5f-6f1f0a3a7c11'
const HASH = 'ab'.repeat(32)

const codecs = [
  {
    side: 'a verifier',
    message: verifierMessage as fc.Arbitrary<VerifierMessage | ServiceMessage>,
    encode: encodeVerifierMessage as (message: unknown) => string,
    decode: decodeVerifierMessage as (text: string) => unknown,
  },
  {
    side: 'a service',
    message: serviceMessage as fc.Arbitrary<VerifierMessage | ServiceMessage>,
    encode: encodeServiceMessage as (message: unknown) => string,
    decode: decodeServiceMessage as (text: string) => unknown,
  },
]

for (const { side, message, encode, decode } of codecs) {
  /** What every text has to come to: nothing, or a message that is written like this and in no other way. */
  const isRefusedOrExact = (text: string): boolean => {
    const decoded = decode(text)
    if (decoded === undefined) return true
    assert.equal(encode(decoded), text)
    return false
  }

  test(`what ${side} writes is read as it was meant`, () => {
    fc.assert(
      fc.property(message, (each) => {
        assert.deepEqual(decode(encode(each)), each)
      }),
      { seed: 31, numRuns: 2_000 },
    )
  })

  test(`any text at all is no message of ${side}, or the very text that is written for one`, () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.object().map((value) => JSON.stringify(value)),
    )
    fc.assert(fc.property(texts, isRefusedOrExact), { seed: 32, numRuns: 1_000 })
  })

  test(`a message of ${side} that was altered is none, or another that is written just so`, () => {
    const mutator = new Mutator(randomFrom(33))
    const texts = fc.sample(message, { seed: 34, numRuns: 1_000 }).map(encode)
    let [refused, exact] = [0, 0]
    for (let round = 0; round < 50; round++) {
      for (const text of texts) {
        mutator.see(text)
        const mutant = mutator.mutate(text)
        if (typeof mutant !== 'string' || mutant === text) continue
        if (isRefusedOrExact(mutant)) refused += 1
        else exact += 1
      }
    }
    assert.ok(refused > 30_000 && exact > 500, `${refused} refused, ${exact} written just so`)
  })

  test(`nothing makes the reading of ${side} throw`, () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    const texts = [
      '',
      'null',
      '"hello"',
      '[]',
      '{"type":"toString"}',
      '{"type":"__proto__"}',
      '{"__proto__":{"type":"goodbye"}}',
      '\ud800',
      nested(100_000),
      `{"type":"entries","entries":[${nested(100_000)}]}`,
      `{"type":"usage","uses":[${nested(100_000)}]}`,
      `{"type":"hello","version":1,"position":${nested(100_000)},"formerly":[]}`,
      `{"type":"hello","version":1,"position":null,"formerly":${nested(100_000)}}`,
    ]
    for (const text of texts) assert.equal(decode(text), undefined)
  })

  test(`a message of ${side} with its fields in another order, with one more or with one twice is none`, () => {
    fc.assert(
      fc.property(message, (each) => {
        const text = encode(each)
        const wire: Record<string, unknown> = JSON.parse(text)
        const { type, ...fields } = wire
        const others = [
          JSON.stringify({ ...fields, type }),
          JSON.stringify({ ...wire, more: 1 }),
          text.replace('{', `{"type":"${type}",`),
          ` ${text}`,
        ]
        for (const other of others) if (other !== text) assert.equal(decode(other), undefined, other)
      }),
      { seed: 35 },
    )
  })

  test(`what is longer than a message may be is none of ${side}`, () => {
    assert.equal(decode(`{"type":"goodbye"${' '.repeat(MAX_FEED_MESSAGE_BYTES)}}`), undefined)
  })
}

test('numbers that are no natural ones have no place in a message', () => {
  for (const nonce of ['-1', '-0', '0.5', '1e3', '1.0', '1e400', '9007199254740992', '"1"', 'null', 'true', '[1]']) {
    assert.equal(decodeVerifierMessage(`{"type":"renew","nonce":${nonce}}`), undefined, nonce)
    assert.equal(decodeVerifierMessage(`{"type":"applied","seq":${nonce},"hash":"${HASH}"}`), undefined, nonce)
    assert.equal(decodeServiceMessage(`{"type":"grant","nonce":${nonce},"leaseMs":1,"seq":1}`), undefined, nonce)
    assert.equal(decodeServiceMessage(`{"type":"grant","nonce":1,"leaseMs":${nonce},"seq":1}`), undefined, nonce)
    assert.equal(decodeServiceMessage(`{"type":"grant","nonce":1,"leaseMs":1,"seq":${nonce}}`), undefined, nonce)
  }
  assert.equal(decodeServiceMessage('{"type":"grant","nonce":1,"leaseMs":0,"seq":1}'), undefined, 'no lease')
})

test('another version of the feed says hello in vain', () => {
  assert.ok(decodeVerifierMessage('{"type":"hello","version":1,"position":null,"formerly":[]}'))
  assert.equal(decodeVerifierMessage('{"type":"hello","version":2,"position":null,"formerly":[]}'), undefined)
})

test('a hello names so many former connections, by their ids, and no more', () => {
  const hello = (formerly: unknown) => JSON.stringify({ type: 'hello', version: 1, position: null, formerly })
  const most = Array.from({ length: MAX_FORMER_IDS }, () => EPOCH)
  assert.ok(decodeVerifierMessage(hello(most)))
  for (const formerly of [[...most, EPOCH], [EPOCH.toUpperCase()], [''], [1], [null], [[EPOCH]], EPOCH, {}, null]) {
    assert.equal(decodeVerifierMessage(hello(formerly)), undefined, JSON.stringify(formerly))
  }
  assert.equal(decodeVerifierMessage('{"type":"hello","version":1,"position":null}'), undefined)
})

test('an entry that this version cannot read makes the whole message none, so that nothing is passed over', () => {
  const entry = nextEntry(genesis(EPOCH), { kind: 'token_revoked', idx: 7 }, 1)
  const text = encodeServiceMessage({ type: 'entries', entries: [entry] })
  assert.ok(decodeServiceMessage(text))
  assert.equal(decodeServiceMessage(text.replace('token_revoked', 'token_renamed')), undefined)
  assert.equal(decodeServiceMessage('{"type":"entries","entries":[]}'), undefined)
})

test('as many entries as are sent at once fit into a message, however long they are', () => {
  const kid = 'k'.repeat(43)
  const jwk = { kty: 'EC', crv: 'P-256', x: kid, y: kid, kid, use: 'sig', alg: 'ES256' } as const
  const last = { epoch: EPOCH, seq: Number.MAX_SAFE_INTEGER - 1, hash: HASH }
  const entry = nextEntry(last, { kind: 'key_added', jwk }, Number.MAX_SAFE_INTEGER)
  const text = encodeServiceMessage({ type: 'entries', entries: Array.from({ length: 500 }, () => entry) })
  assert.ok(text.length <= MAX_FEED_MESSAGE_BYTES)
})

test('as many uses as are sent at once fit into a message', () => {
  const most = Number.MAX_SAFE_INTEGER
  const message = { type: 'usage', uses: Array.from({ length: MAX_USES }, () => [most, most] as const) } as const
  assert.deepEqual(decodeVerifierMessage(encodeVerifierMessage(message)), message)
})
