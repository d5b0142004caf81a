import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBase64url, encodeBase64url, headerSegment, MAX_TOKEN_LENGTH } from '@rescind/protocol'
import fc from 'fast-check'
import { claimsOf, createSigner, installation, join, outcome, segmentsOf } from './mint.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const signer = createSigner()
const { verifier } = installation([signer])
const token = signer.mint(claimsOf())
const segments = segmentsOf(token)
const header = headerSegment('EdDSA', signer.jwk.kid)

test('anything but three segments behind the prefix is malformed', () => {
  const [h, p, s] = segments
  const tokens = [
    '',
    'dz_',
    join(h),
    join(h, p),
    join(h, p, s, ''),
    join(h, p, s, s),
    join(h, p, s, s, s),
    join('', h, p, s),
    join(h, '', p, s),
    token.slice(3),
    token.slice(1),
    token.toUpperCase(),
    `DZ_${token.slice(3)}`,
    `Bearer ${token}`,
    ` ${token}`,
    `${token} `,
    `${token}\n`,
    `${token}\0`,
    `"${token}"`,
  ]
  for (const each of tokens) assert.equal(outcome(verifier, each), 'malformed', JSON.stringify(each))
})

test('a prefix twice and empty segments are rejected', () => {
  const [h, p, s] = segments
  for (const each of [`dz_${token}`, join('', '', ''), join('', p, s), join(h, '', s), join(h, p, '')]) {
    assert.notEqual(outcome(verifier, each), 'valid')
  }
})

test('what is not a string is malformed', () => {
  const hostile = new Proxy({}, { get: () => assert.fail('looked into') })
  const inputs: unknown[] = [undefined, null, 0, 1n, true, Symbol('s'), {}, [], [token], () => token, new String(token)]
  for (const input of [...inputs, hostile, Buffer.from(token), { toString: () => token }]) {
    assert.equal(outcome(verifier, input as string), 'malformed')
  }
})

/** The claims padded so that the last character of their segment has four unused bits: it has sixteen spellings. */
function paddedClaims(): string {
  for (let pad = 0; ; pad++) {
    const text = JSON.stringify({ ...claimsOf(), pad: 'x'.repeat(pad) })
    if (Buffer.byteLength(text) % 3 === 1) return text
  }
}

test('of all last characters a segment could have, only the canonical one is accepted', () => {
  const good = segmentsOf(signer.mintText(paddedClaims()))
  // All three have four unused bits at their end: 82 bytes, a length made so, 64 bytes.
  for (const at of [0, 1, 2]) {
    const segment = good[at] ?? ''
    const bytes = Buffer.from(segment, 'base64url')
    const others = [...ALPHABET].map((last) => segment.slice(0, -1) + last).filter((text) => text !== segment)
    const twins = others.filter((text) => Buffer.from(text, 'base64url').equals(bytes))
    assert.equal(twins.length, 15)
    for (const twin of twins) assert.equal(outcome(verifier, join(...good.with(at, twin))), 'malformed')
    for (const other of others) assert.equal(verifier.verify(join(...good.with(at, other))).status, 'rejected')
  }
  assert.equal(outcome(verifier, join(...good)), 'valid')
})

test('a second spelling is malformed even when the signature covers it', () => {
  const [, payload] = segmentsOf(signer.mintText(paddedClaims()))
  for (const last of ALPHABET) {
    const spelling = payload.slice(0, -1) + last
    const isTwin = Buffer.from(spelling, 'base64url').equals(Buffer.from(payload, 'base64url'))
    if (!isTwin) continue
    assert.equal(outcome(verifier, signer.mintSegments(header, spelling)), spelling === payload ? 'valid' : 'malformed')
  }
})

test('white space, padding, the other alphabet and foreign characters are malformed in every segment', () => {
  for (const at of [0, 1, 2]) {
    const segment = segments[at] ?? ''
    const middle = segment.length >> 1
    for (const extra of [
      ' ',
      '\n',
      '\t',
      '\r\n',
      '=',
      '==',
      '+',
      '/',
      '!',
      '%',
      '\0',
      'é',
      '\u0410',
      '𝄞',
      '\ud800',
      '~',
    ]) {
      for (const place of [0, middle, segment.length]) {
        const text = segment.slice(0, place) + extra + segment.slice(place)
        assert.equal(outcome(verifier, join(...segments.with(at, text))), 'malformed')
        if (at < 2) {
          const [h, p] = segments.with(at, text)
          assert.equal(outcome(verifier, signer.mintSegments(h ?? '', p ?? '')), 'malformed')
        }
      }
    }
  }
})

test('the standard alphabet for the same bytes is malformed', () => {
  const text = JSON.stringify({ ...claimsOf(), pad: '>>>???~~~ooo\u007f\u00bf\u00ff' })
  const [h, p, s] = segmentsOf(signer.mintText(text))
  assert.match(p, /[-_]/)
  const standard = p.replaceAll('-', '+').replaceAll('_', '/')
  assert.equal(outcome(verifier, join(h, p, s)), 'valid')
  assert.equal(outcome(verifier, join(h, standard, s)), 'malformed')
  assert.equal(outcome(verifier, signer.mintSegments(h, standard)), 'malformed')
})

test('a token longer than the limit is malformed though properly signed, and one just below is valid', () => {
  const ofPad = (pad: number) => signer.mintText(JSON.stringify({ ...claimsOf(), pad: 'x'.repeat(pad) }))
  const room = Math.floor(((MAX_TOKEN_LENGTH - ofPad(0).length) * 3) / 4)
  const lengths = new Set<number>()
  for (let pad = room - 6; pad <= room + 6; pad++) {
    const each = ofPad(pad)
    lengths.add(each.length - MAX_TOKEN_LENGTH)
    assert.equal(outcome(verifier, each), each.length <= MAX_TOKEN_LENGTH ? 'valid' : 'malformed')
  }
  assert.ok([-1, 0].some((over) => lengths.has(over)) && [1, 2].some((over) => lengths.has(over)))
  assert.equal(outcome(verifier, `dz_${'A'.repeat(2 ** 24)}.A.A`), 'malformed')
  assert.equal(outcome(verifier, '.'.repeat(2 ** 24)), 'malformed')
})

test('no arbitrary string throws or verifies', () => {
  const near = fc
    .array(fc.constantFrom(...segments, 'dz_', '.', '..', '=', 'A', '\0', '{}', 'e30', header), { maxLength: 9 })
    .map((parts) => parts.join(''))
  const shaped = fc
    .tuple(fc.uint8Array({ maxLength: 99 }), fc.uint8Array({ maxLength: 99 }), fc.uint8Array({ maxLength: 70 }))
    .map((parts) => join(...parts.map(encodeBase64url)))
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), near, shaped), (text) => {
      fc.pre(text !== token)
      assert.equal(verifier.verify(text).status, 'rejected')
    }),
    { seed: 1, numRuns: 2000 },
  )
})

test('no arbitrary payload behind a good signature throws or verifies', () => {
  const payload = fc.oneof(fc.json(), fc.string({ unit: 'binary' })).map((text) => Buffer.from(text))
  fc.assert(
    fc.property(fc.oneof(payload, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      assert.equal(outcome(verifier, signer.mintText(bytes)), 'bad_claims')
    }),
    { seed: 2, numRuns: 300 },
  )
})

test('a remembered token changed in any one character is rejected', () => {
  for (const alg of ['EdDSA', 'ES256'] as const) {
    const own = createSigner(alg)
    const one = installation([own]).verifier
    const original = own.mint(claimsOf())
    assert.equal(outcome(one, original), 'valid')
    for (let at = 0; at < original.length; at++) {
      for (const other of [original[at] === 'A' ? 'B' : 'A', original[at] === '.' ? '_' : '.']) {
        assert.equal(one.verify(original.slice(0, at) + other + original.slice(at + 1)).status, 'rejected')
      }
      assert.equal(one.verify(original.slice(0, at) + original.slice(at + 1)).status, 'rejected')
    }
    assert.equal(outcome(one, original), 'valid')
  }
})

test('every segment of a valid token is the one canonical spelling of its bytes', () => {
  for (const segment of segments) assert.equal(encodeBase64url(decodeBase64url(segment) ?? ''), segment)
})
