import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { decodeBase64url, isLowS, type PublicJwk, publicJwk } from '@rescind/protocol'

const SIGNATURE_BYTES = 64

/** A published key, ready to verify with. */
export class VerificationKey {
  readonly jwk: PublicJwk
  readonly #key: KeyObject

  /** @throws Error when the JWK is not a sound key of its algorithm, or when its `kid` is not its thumbprint. */
  constructor(jwk: PublicJwk) {
    if (!isSound(jwk)) throw new Error('A published key must be an Ed25519 or P-256 key in its canonical form')
    // Made anew, so that a member that does not belong there is not published along.
    this.jwk = Object.freeze(publicJwk(jwk))
    if (this.jwk.kid !== jwk.kid) throw new Error('The kid of a published key must be its RFC 7638 thumbprint')
    this.#key = createPublicKey({ key: { ...this.jwk }, format: 'jwk' })
  }

  /** True when `signature` is the one spelling of a good signature over `signed`. Never throws. */
  verifies(signed: Uint8Array, signature: Uint8Array): boolean {
    if (signature.length !== SIGNATURE_BYTES) return false
    if (this.jwk.alg === 'EdDSA') return verify(null, signed, this.#key, signature)
    return isLowS(signature) && verify('sha256', signed, { key: this.#key, dsaEncoding: 'ieee-p1363' }, signature)
  }
}

/** The algorithm follows from the key, and coordinates have one spelling: two thumbprints are two keys. */
function isSound(jwk: PublicJwk): boolean {
  const { kty, crv, alg } = jwk
  if (kty === 'OKP') return crv === 'Ed25519' && alg === 'EdDSA' && isCoordinate(jwk.x)
  return kty === 'EC' && crv === 'P-256' && alg === 'ES256' && isCoordinate(jwk.x) && isCoordinate(jwk.y)
}

function isCoordinate(text: string): boolean {
  return decodeBase64url(text)?.length === 32
}
