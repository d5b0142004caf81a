import { encodeBase64url } from './base64url.ts'
import { isNatural } from './natural.ts'
import { isUuid } from './uuid.ts'

/** The claims of a token: RFC 9068 plus the Token Status List reference that names its revocation bit. */
export interface TokenClaims {
  readonly iss: string
  /** User id (UUID) of the holder. */
  readonly sub: string
  readonly aud: string
  /** Id (UUID) of the token's record: each token is a client of its own. */
  readonly client_id: string
  /** UUID v4. */
  readonly jti: string
  /** Seconds since the epoch. */
  readonly iat: number
  /** Seconds since the epoch; the token is expired from this second on. */
  readonly exp: number
  /** Space-separated scopes (RFC 8693 section 4.2), possibly empty. */
  readonly scope: string
  /** UUID; absent on an operator's token, which belongs to no business. */
  readonly business_id?: string
  readonly type: 'api'
  readonly status: { readonly status_list: { readonly idx: number; readonly uri: string } }
}

export function encodeClaims(claims: TokenClaims): string {
  return encodeBase64url(JSON.stringify(claims))
}

/** Names the status list that an `idx` counts in: the epoch of the log when the index was given out, so that an index of another log is never taken for one of ours. */
export function statusListUri(epoch: string): string {
  return `urn:uuid:${epoch}`
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads the decoded payload of a token. It must be what `JSON.stringify` writes, which rules out duplicate names, `1e400`,
 * `1.0`, white space and every other second spelling of the same claims; claims this version does not know are allowed.
 *
 * @returns the claims, or `undefined` when the payload is not canonical or a claim is missing or of the wrong type. Never throws.
 */
export function parseClaims(payload: Uint8Array): TokenClaims | undefined {
  let parsed: unknown
  try {
    const text = utf8.decode(payload)
    parsed = JSON.parse(text)
    if (JSON.stringify(parsed) !== text) return undefined
  } catch {
    return undefined
  }
  return isTokenClaims(parsed) ? parsed : undefined
}

function isTokenClaims(value: unknown): value is TokenClaims {
  if (!isObject(value) || !hasIdentity(value)) return false
  const list = isObject(value.status) && isObject(value.status.status_list) ? value.status.status_list : {}
  return isNatural(list.idx) && typeof list.uri === 'string'
}

/** Whether these are the claims of a token, with or without its place in a status list. */
export function isIdentity(value: unknown): value is Omit<TokenClaims, 'status'> {
  return isObject(value) && hasIdentity(value)
}

function hasIdentity(value: Record<string, unknown>): boolean {
  return (
    typeof value.iss === 'string' &&
    isUuid(value.sub) &&
    typeof value.aud === 'string' &&
    isUuid(value.client_id) &&
    isUuid(value.jti) &&
    isNatural(value.iat) &&
    isNatural(value.exp) &&
    typeof value.scope === 'string' &&
    (!Object.hasOwn(value, 'business_id') || isUuid(value.business_id)) &&
    value.type === 'api'
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
