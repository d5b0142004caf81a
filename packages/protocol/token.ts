import { encodeBase64url } from './base64url.ts'

/** Algorithms a token may be signed with: Ed25519 (RFC 8037) and ECDSA P-256 (RFC 7518 section 3.4). */
export type SigningAlgorithm = 'EdDSA' | 'ES256'

/** What every token starts with unless the installation chose another prefix. Lets secret scanners find leaked tokens. */
export const DEFAULT_TOKEN_PREFIX = 'dz_'

/** Longest token, in characters, that a verifier looks at. */
export const MAX_TOKEN_LENGTH = 8192

/**
 * The one header segment that tokens of a key carry. Verifiers compare a presented segment byte for byte with this, so
 * no header parameter of an attacker (`alg`, `jku`, `crit`, `b64`, …) is ever interpreted.
 */
export function headerSegment(alg: SigningAlgorithm, kid: string): string {
  return encodeBase64url(JSON.stringify({ alg, kid, typ: 'at+jwt' }))
}

/**
 * Finds tokens inside free text, and what is glued to them. Tried only where a run of token characters starts, so that
 * no text takes more than linear time.
 */
const TOKEN_IN_TEXT = /(?<![\w-])(?=[\w-]*?eyJ[\w-]{8})[\w-]+(?:\.[\w-]{8,}){2,}/g

/** `text` with every token in it replaced, for texts that are stored, logged or echoed. */
export function redactTokens(text: string): string {
  return text.includes('eyJ') ? text.replace(TOKEN_IN_TEXT, '[redacted token]') : text
}
