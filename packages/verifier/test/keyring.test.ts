import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { headerSegment, type PublicJwk, publicJwk } from '@rescind/protocol'
import { Keyring } from '../core/keyring.ts'
import { VerificationKey } from '../core/verification-key.ts'
import { createSigner, highSTwin } from './mint.ts'

test('a key is found by exactly the header its tokens carry', () => {
  const { jwk } = createSigner()
  const keyring = new Keyring()
  keyring.add(jwk)
  const header = headerSegment('EdDSA', jwk.kid)
  assert.equal(keyring.find(header)?.jwk.kid, jwk.kid)
  const others = [headerSegment('ES256', jwk.kid), headerSegment('EdDSA', 'other'), `${header}=`, '', '__proto__']
  for (const other of others) assert.equal(keyring.find(other), undefined)
})

test('published keys are those not retired, oldest first, and retiring is for good', () => {
  const [first, second, third] = [createSigner().jwk, createSigner('ES256').jwk, createSigner().jwk]
  const keyring = new Keyring()
  for (const jwk of [first, second, third]) keyring.add(jwk)
  assert.deepEqual(keyring.jwks(), [first, second, third])
  keyring.retire(second.kid)
  keyring.add(second)
  assert.deepEqual(keyring.jwks(), [first, third])
  assert.ok(keyring.find(headerSegment('ES256', second.kid)), 'its tokens are still recognised')
})

test('a key retired before it is added is never published', () => {
  const { jwk } = createSigner()
  const keyring = new Keyring()
  keyring.retire(jwk.kid)
  keyring.add(jwk)
  assert.deepEqual(keyring.jwks(), [])
})

test('a private member that came along is not published', () => {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const jwk = publicJwk({ kty: 'OKP', crv: 'Ed25519', x })
  const keyring = new Keyring()
  keyring.add(Object.assign({ d }, jwk))
  assert.deepEqual(keyring.jwks(), [jwk])
})

test('a key whose kid is not its thumbprint, or that is not sound, is a fault', () => {
  const ed = createSigner().jwk
  const ec = createSigner('ES256').jwk
  const keyring = new Keyring()
  const { x } = ed
  const bad: Record<string, unknown>[] = [
    { ...ed, kid: ec.kid },
    { ...ed, kid: undefined },
    { ...ed, kid: `${ed.kid}=` },
    { ...ed, alg: 'ES256' },
    { ...ed, alg: 'none' },
    { ...ed, kty: 'oct' },
    { ...ed, crv: 'X25519' },
    { ...ec, alg: 'EdDSA' },
    { ...ec, crv: 'P-384' },
    publicJwk({ kty: 'OKP', crv: 'Ed25519', x: `${x}=` }),
    publicJwk({ kty: 'OKP', crv: 'Ed25519', x: x.slice(4) }),
    publicJwk({ kty: 'EC', crv: 'P-256', x, y: x }),
  ]
  for (const jwk of bad) assert.throws(() => keyring.add(jwk as PublicJwk), JSON.stringify(jwk))
  assert.deepEqual(keyring.jwks(), [])
})

test('a signature is 64 bytes long and has no second spelling', () => {
  const data = Buffer.from('data')
  for (const alg of ['EdDSA', 'ES256'] as const) {
    const signer = createSigner(alg)
    const key = new VerificationKey(signer.jwk)
    const signature = signer.sign('data')
    assert.ok(key.verifies(data, signature))
    assert.ok(!key.verifies(Buffer.from('date'), signature))
    const others = [
      Buffer.alloc(0),
      signature.subarray(0, 63),
      Buffer.concat([signature, Buffer.alloc(1)]),
      Buffer.alloc(64),
      Buffer.alloc(64, 0xff),
      Buffer.concat([signature.subarray(32), signature.subarray(0, 32)]),
      Buffer.concat([signature.subarray(0, 32), Buffer.alloc(32)]),
      Buffer.concat([Buffer.alloc(32), signature.subarray(32)]),
    ]
    for (const other of others) assert.ok(!key.verifies(data, other))
    for (let bit = 0; bit < 512; bit++) {
      const flipped = Buffer.from(signature)
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      assert.ok(!key.verifies(data, flipped))
    }
  }
})

test('the high-s twin of an ES256 signature and its DER form are refused', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const key = new VerificationKey(publicJwk({ kty: 'EC', crv: 'P-256', x, y }))
  for (let n = 0; n < 20; n++) {
    const data = Buffer.from(`${n}`)
    const signature = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    const accepted = [signature, highSTwin(signature)].filter((each) => key.verifies(data, each))
    assert.equal(accepted.length, 1)
    assert.ok(!key.verifies(data, sign('sha256', data, privateKey)))
  }
})

test('an Ed25519 signature with the group order added to s is refused', () => {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const signer = createSigner()
  const signature = signer.sign('data')
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order
  const twin = Buffer.concat([
    signature.subarray(0, 32),
    Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse(),
  ])
  assert.ok(!new VerificationKey(signer.jwk).verifies(Buffer.from('data'), twin))
})
