import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { decodeBase64url, encodeBase64url, encodeClaims, headerSegment } from '@rescind/protocol'
import { claimsOf, createSigner, installation, join, outcome } from './mint.ts'

const signer = createSigner()
const attacker = createSigner()
const { verifier } = installation([signer])
const { kid } = signer.jwk
const proper = { alg: 'EdDSA', kid, typ: 'at+jwt' }
const payload = encodeClaims(claimsOf())

/** Signed with the installation's own key, so that nothing but the header speaks against the token. */
const withHeader = (header: object | string) =>
  signer.mintSegments(encodeBase64url(typeof header === 'string' ? header : JSON.stringify(header)), payload)

test('the proper header is accepted', () => {
  assert.equal(outcome(verifier, withHeader(proper)), 'valid')
})

test('an unsigned token is rejected, however it spells none', () => {
  for (const alg of ['none', 'NONE', 'None', 'nOnE', '', null]) {
    const header = encodeBase64url(JSON.stringify({ ...proper, alg }))
    assert.equal(outcome(verifier, join(header, payload, '')), 'unknown_key')
    assert.equal(outcome(verifier, signer.mintSegments(header, payload)), 'unknown_key')
  }
  assert.equal(outcome(verifier, join(headerSegment('EdDSA', kid), payload, '')), 'bad_signature')
})

test('a token signed by HMAC with the public key as the secret is rejected', () => {
  const spki = { type: 'spki', format: 'pem' } as const
  const secrets = [
    decodeBase64url(signer.jwk.x) ?? assert.fail(),
    signer.jwk.x,
    signer.publicKey.export(spki),
    signer.publicKey.export(spki).toString().trim(),
    signer.publicKey.export({ type: 'spki', format: 'der' }),
    JSON.stringify(signer.jwk),
  ]
  for (const secret of secrets) {
    for (const [alg, hash] of [
      ['HS256', 'sha256'],
      ['HS512', 'sha512'],
    ] as const) {
      const forged = encodeBase64url(JSON.stringify({ ...proper, alg }))
      for (const header of [forged, headerSegment('EdDSA', kid)]) {
        const mac = createHmac(hash, secret).update(`${header}.${payload}`).digest('base64url')
        assert.equal(outcome(verifier, join(header, payload, mac)), header === forged ? 'unknown_key' : 'bad_signature')
      }
    }
  }
})

test('a header that brings or points to a key is rejected, whoever signed', () => {
  const extras = [
    { jku: 'https://evil.example/jwks.json' },
    { x5u: 'https://evil.example/cert.pem' },
    { x5c: ['MIIB'] },
    { x5t: 'AAAA' },
    { jwk: attacker.jwk },
    { jwk: signer.jwk },
  ]
  for (const extra of extras) {
    const header = encodeBase64url(JSON.stringify({ ...proper, ...extra }))
    assert.equal(outcome(verifier, attacker.mintSegments(header, payload)), 'unknown_key')
    assert.equal(outcome(verifier, signer.mintSegments(header, payload)), 'unknown_key')
    const own = encodeBase64url(JSON.stringify({ ...proper, ...extra, kid: attacker.jwk.kid }))
    assert.equal(outcome(verifier, attacker.mintSegments(own, payload)), 'unknown_key')
  }
})

test('a kid that is no published key is rejected', () => {
  const kids: unknown[] = [
    '../../../../dev/null',
    '/dev/null',
    "' OR '1'='1",
    "x'; DROP TABLE signing_keys; --",
    `${kid}\0`,
    '\0',
    '__proto__',
    'constructor',
    'toString',
    '',
    kid.toLowerCase() === kid ? kid.toUpperCase() : kid.toLowerCase(),
    `${kid} `,
    attacker.jwk.kid,
    0,
    null,
    [kid],
    { kid },
    undefined,
  ]
  for (const other of kids) {
    assert.equal(outcome(verifier, withHeader({ ...proper, kid: other })), 'unknown_key', JSON.stringify(other))
  }
})

test('critical and unencoded-payload extensions are rejected', () => {
  const extras = [
    { crit: ['exp'] },
    { crit: ['b64'], b64: false },
    { b64: false },
    { b64: true },
    { crit: [] },
    { zip: 'DEF' },
  ]
  for (const extra of extras) assert.equal(outcome(verifier, withHeader({ ...proper, ...extra })), 'unknown_key')
})

test('a payload left unencoded as b64:false would have it is rejected', () => {
  const text = JSON.stringify(claimsOf())
  const header = encodeBase64url(JSON.stringify({ ...proper, crit: ['b64'], b64: false }))
  assert.equal(outcome(verifier, signer.mintSegments(header, text)), 'malformed')
})

test('another typ or alg is rejected', () => {
  for (const typ of ['JWT', 'jwt', 'AT+JWT', 'application/at+jwt', 'dpop+jwt', 'id_token', '', null, undefined]) {
    assert.equal(outcome(verifier, withHeader({ ...proper, typ })), 'unknown_key')
  }
  for (const alg of ['Ed25519', 'ES256', 'EDDSA', 'RS256', 'PS256', undefined]) {
    assert.equal(outcome(verifier, withHeader({ ...proper, alg })), 'unknown_key')
  }
})

test('the same header in another spelling is rejected', () => {
  const text = JSON.stringify(proper)
  const spellings = [
    JSON.stringify({ kid, alg: 'EdDSA', typ: 'at+jwt' }),
    ` ${text}`,
    `${text}\n`,
    text.replace(':', ': '),
    text.replace('{', '{"alg":"none",'),
    text.replace(/}$/, ',"alg":"none"}'),
    text.replace('alg', '\\u0061lg'),
    `\ufeff${text}`,
    '{}',
    '',
    'null',
  ]
  for (const spelling of spellings) assert.equal(outcome(verifier, withHeader(spelling)), 'unknown_key', spelling)
})

test('the key of one algorithm verifies nothing under the name of the other', () => {
  const ec = createSigner('ES256')
  const both = installation([signer, ec]).verifier
  assert.equal(outcome(both, signer.mintSegments(headerSegment('ES256', kid), payload)), 'unknown_key')
  assert.equal(outcome(both, signer.mintSegments(headerSegment('ES256', ec.jwk.kid), payload)), 'bad_signature')
  assert.equal(outcome(both, ec.mintSegments(headerSegment('EdDSA', kid), payload)), 'bad_signature')
  assert.equal(outcome(both, ec.mintSegments(headerSegment('ES256', ec.jwk.kid), payload)), 'valid')
})
