import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { decodeBase64url, encodeBase64url, headerSegment, redactTokens } from '@rescind/protocol'
import fc from 'fast-check'

const segment = (text: string) => encodeBase64url(JSON.stringify({ text }))
const token = () => `dz_${headerSegment('EdDSA', 'k')}.${segment('claims')}.${encodeBase64url(randomBytes(64))}`

test('the header of a key names algorithm, key and type, in this order and nothing else', () => {
  const text = decodeBase64url(headerSegment('ES256', 'k'))?.toString()
  assert.equal(text, '{"alg":"ES256","kid":"k","typ":"at+jwt"}')
})

test('no part of a token survives in text that is stored, logged or echoed', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'ab _-."\n{}:') }),
      fc.constantFrom('', ' ', '"', ':', '/'),
      (text, glue) => {
        const secret = token()
        const redacted = redactTokens(`${text}${glue}${secret} ${text}`)
        for (const part of secret.split('.')) assert.ok(!redacted.includes(part))
        assert.ok(redacted.includes('[redacted token]'))
      },
    ),
    { seed: 1 },
  )
})

test('several tokens in one text are all redacted, whatever their prefix', () => {
  const bare = token().slice(3)
  const redacted = redactTokens(`a ${token()},${bare}; acme_${bare} z`)
  assert.equal(redacted, 'a [redacted token],[redacted token]; [redacted token] z')
})

test('text without a token is left as it is', () => {
  for (const text of ['', 'lost on the train', 'eyJ', 'see a.b.c', 'dz_...', 'keyJam.session.notes']) {
    assert.equal(redactTokens(text), text)
  }
})
