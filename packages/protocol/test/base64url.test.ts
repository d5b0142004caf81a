import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBase64url, encodeBase64url } from '@rescind/protocol'
import fc from 'fast-check'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

test('every byte string comes back from its encoding', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.deepEqual(decodeBase64url(encodeBase64url(bytes)), Buffer.from(bytes))
    }),
    { seed: 1 },
  )
})

test('no text but the encoding of some bytes is decoded', () => {
  const almost = fc.string({
    unit: fc.constantFrom(...ALPHABET, '+', '/', '=', ' ', '\n', '.', '\0', 'é', '𝄞'),
    maxLength: 12,
  })
  fc.assert(
    fc.property(fc.oneof(almost, fc.string({ unit: 'binary' })), (text) => {
      const bytes = decodeBase64url(text)
      if (bytes !== undefined) assert.equal(encodeBase64url(bytes), text)
    }),
    { seed: 2, numRuns: 2000 },
  )
})

test('one of the sixteen last characters that differ only in unused bits is accepted', () => {
  for (const first of ALPHABET) {
    const accepted = [...ALPHABET].filter((last) => decodeBase64url(first + last) !== undefined)
    assert.deepEqual(accepted, ['A', 'Q', 'g', 'w'])
  }
})

test('padding, white space, the other alphabet and impossible lengths are refused', () => {
  assert.deepEqual(decodeBase64url('-_8A'), Buffer.from([0xfb, 0xff, 0x00]))
  for (const text of ['+/8A', '-_8A=', '-_8A====', ' -_8A', '-_8A\n', '-_ 8A', '-_8A\0', 'A', '-_8AA', '-_8А', '!']) {
    assert.equal(decodeBase64url(text), undefined, JSON.stringify(text))
  }
})

test('the empty text is the encoding of no bytes', () => {
  assert.deepEqual(decodeBase64url(''), Buffer.alloc(0))
})

test('text is encoded as UTF-8', () => {
  assert.deepEqual(decodeBase64url(encodeBase64url('é𝄞')), Buffer.from('é𝄞', 'utf8'))
})
