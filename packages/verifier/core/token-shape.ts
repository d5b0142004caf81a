import { decodeBase64url, MAX_TOKEN_LENGTH } from '@rescind/protocol'

/** A token taken apart; nothing in it is trusted yet. */
interface TokenParts {
  /** First segment, still encoded: it is compared, never interpreted. */
  readonly header: string
  readonly payload: Buffer
  /** What the signature covers: the first two segments and the dot between them (RFC 7515 section 5.1). */
  readonly signed: Buffer
  readonly signature: Buffer
}

/** The parts of `token`, or `undefined` when it is not `prefix` + three canonical base64url segments of bounded length. Never throws. */
export function parseTokenShape(token: unknown, prefix: string): TokenParts | undefined {
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH || !token.startsWith(prefix)) return undefined
  const firstDot = token.indexOf('.', prefix.length)
  const secondDot = token.indexOf('.', firstDot + 1)
  if (firstDot === -1 || secondDot === -1) return undefined
  const header = token.slice(prefix.length, firstDot)
  const payload = decodeBase64url(token.slice(firstDot + 1, secondDot))
  // A third dot ends up in the last segment, whose alphabet has none.
  const signature = decodeBase64url(token.slice(secondDot + 1))
  if (payload === undefined || signature === undefined || decodeBase64url(header) === undefined) return undefined
  return { header, payload, signed: Buffer.from(token.slice(prefix.length, secondDot), 'latin1'), signature }
}
