import { type KeyMaterial, thumbprint } from './thumbprint.ts'

/** A public verification key as a JWK (RFC 7517; RFC 8037 for Ed25519). `kid` is the key's {@link thumbprint}. */
export type PublicJwk =
  | { kty: 'OKP'; crv: 'Ed25519'; x: string; kid: string; alg: 'EdDSA'; use: 'sig' }
  | { kty: 'EC'; crv: 'P-256'; x: string; y: string; kid: string; alg: 'ES256'; use: 'sig' }

/** The published form of a key. */
export function publicJwk(key: KeyMaterial): PublicJwk {
  const kid = thumbprint(key)
  return key.kty === 'OKP'
    ? { kty: key.kty, crv: key.crv, x: key.x, kid, alg: 'EdDSA', use: 'sig' }
    : { kty: key.kty, crv: key.crv, x: key.x, y: key.y, kid, alg: 'ES256', use: 'sig' }
}
