/**
 * Strict base64url (RFC 4648 section 5, unpadded). Node's own decoder ignores white space, `=`, `+/` and trailing bits,
 * so several strings decode to the same bytes; here every byte string has exactly one spelling.
 */

export function encodeBase64url(bytes: Uint8Array | string): string {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : Buffer.from(bytes)
  return buffer.toString('base64url')
}

/** The bytes, or `undefined` when `text` is not the one canonical spelling of them. Never throws. */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  // What the encoder writes is canonical, so being equal to it is enough: no look at the alphabet is needed.
  return bytes.toString('base64url') === text ? bytes : undefined
}
