import type { SigningAlgorithm } from './token.ts'

/** A public verification key as a JWK (RFC 7517; RFC 8037 for Ed25519). `kid` is the RFC 7638 SHA-256 thumbprint. */
export type PublicJwk =
  | { kty: 'OKP'; crv: 'Ed25519'; x: string; kid: string; alg: 'EdDSA'; use: 'sig' }
  | { kty: 'EC'; crv: 'P-256'; x: string; y: string; kid: string; alg: 'ES256'; use: 'sig' }

export type { SigningAlgorithm }
