import { hash } from 'node:crypto'

/** The members of a public key that its thumbprint covers. */
export type KeyMaterial =
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }

/** The `kid` of a public key: its SHA-256 JWK thumbprint in base64url (RFC 7638, RFC 8037 section 2). */
export function thumbprint(key: KeyMaterial): string {
  // The required members only, in lexicographic order (RFC 7638 section 3.2).
  const members =
    key.kty === 'OKP' ? { crv: key.crv, kty: key.kty, x: key.x } : { crv: key.crv, kty: key.kty, x: key.x, y: key.y }
  return hash('sha256', JSON.stringify(members), 'base64url')
}
