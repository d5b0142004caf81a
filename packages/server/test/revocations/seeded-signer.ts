import { createPrivateKey, createPublicKey, hash, sign } from 'node:crypto'
import { encodeBase64url, headerSegment, type PublicJwk, publicJwk } from '@rescind/protocol'
import { claimsOf, join } from '../../../verifier/test/mint.ts'

const PKCS8_ED25519 = '302e020100300506032b657004220420'

interface SeededSigner {
  readonly jwk: PublicJwk
  /** A token of this index that is good for long. */
  mint(idx: number): string
}

/** The same key for the same seed, so that whatever depends on it is the same. */
export function seededSigner(seed: number): SeededSigner {
  const key = Buffer.concat([Buffer.from(PKCS8_ED25519, 'hex'), hash('sha256', `seed ${seed}`, 'buffer')])
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const jwk = publicJwk({ kty: 'OKP', crv: 'Ed25519', x })
  const header = headerSegment('EdDSA', jwk.kid)
  return {
    jwk,
    mint: (idx) => {
      const signed = `${header}.${encodeBase64url(JSON.stringify(claimsOf({ idx, exp: 4_000_000_000 })))}`
      return join(signed, encodeBase64url(sign(null, Buffer.from(signed), privateKey)))
    },
  }
}
