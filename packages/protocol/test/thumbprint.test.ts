import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { type KeyMaterial, publicJwk, thumbprint } from '@rescind/protocol'
import { calculateJwkThumbprint } from 'jose'

test('the key of RFC 8037 appendix A.3 has the thumbprint printed there', () => {
  const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
  assert.equal(thumbprint({ kty: 'OKP', crv: 'Ed25519', x }), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
})

test('thumbprints agree with another implementation of RFC 7638', async () => {
  const ed = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const keys: KeyMaterial[] = [
    { kty: 'OKP', crv: 'Ed25519', x: ed.x ?? '' },
    { kty: 'EC', crv: 'P-256', x: ec.x ?? '', y: ec.y ?? '' },
  ]
  for (const key of keys) assert.equal(thumbprint(key), await calculateJwkThumbprint(key))
})

test('the published form of a key is named by its thumbprint and carries public members only', () => {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const key: KeyMaterial & { d: string } = { d, kty: 'OKP', crv: 'Ed25519', x }
  const kid = thumbprint(key)
  assert.deepEqual(publicJwk(key), { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' })
})
