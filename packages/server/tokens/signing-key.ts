import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  encodeBase64url,
  encodeClaims,
  headerSegment,
  type KeyMaterial,
  type PublicJwk,
  publicJwk,
  type SigningAlgorithm,
  type TokenClaims,
  toLowS,
} from '@rescind/protocol'
import type { SigningKeyRecord } from '../storage/storage.ts'
import { open, seal } from './seal.ts'

/** A private key that signs tokens, and the public half that verifies them. */
export interface SigningKey {
  readonly jwk: PublicJwk
  readonly privateKey: KeyObject
}

export function generateSigningKey(alg: SigningAlgorithm): SigningKey {
  const { publicKey, privateKey } =
    alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { jwk: publicJwk(publicKey.export({ format: 'jwk' }) as KeyMaterial), privateKey }
}

/** The JWT (RFC 7515 compact serialisation), without the token prefix. */
export function signClaims(key: SigningKey, claims: TokenClaims): string {
  const input = `${headerSegment(key.jwk.alg, key.jwk.kid)}.${encodeClaims(claims)}`
  return `${input}.${encodeBase64url(signature(key, Buffer.from(input)))}`
}

function signature({ jwk, privateKey }: SigningKey, input: Buffer): Uint8Array {
  if (jwk.alg === 'EdDSA') return sign(null, input, privateKey)
  return toLowS(sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' }))
}

/** What is stored of a key: the private half encrypted with the master key. */
export function sealSigningKey(key: SigningKey, masterKey: Uint8Array, createdAtMs: number): SigningKeyRecord {
  const pkcs8 = key.privateKey.export({ format: 'der', type: 'pkcs8' })
  return { jwk: key.jwk, sealedPrivateKey: seal(masterKey, pkcs8, key.jwk.kid), createdAtMs, retiredAtMs: null }
}

/** The key of a record, or `undefined` when the master key is not the one it was sealed with. */
export function openSigningKey(record: SigningKeyRecord, masterKey: Uint8Array): SigningKey | undefined {
  const pkcs8 = open(masterKey, record.sealedPrivateKey, record.jwk.kid)
  return pkcs8 && { jwk: record.jwk, privateKey: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }) }
}
