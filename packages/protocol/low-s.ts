/**
 * For every ECDSA signature (r, s) the twin (r, n - s) is good as well, so one token would have two spellings. Signers
 * write the smaller s, verifiers refuse the larger. Signatures are the 64 raw bytes r || s (RFC 7518 section 3.4).
 */

/** Order of the P-256 group (FIPS 186-5, SP 800-186 section 3.2.1.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** The largest s a signature may carry, as 32 big-endian bytes. */
const LARGEST_S = Buffer.from((ORDER >> 1n).toString(16).padStart(64, '0'), 'hex')

export function isLowS(signature: Uint8Array): boolean {
  return Buffer.compare(signature.subarray(32, 64), LARGEST_S) <= 0
}

/** The one of the two twins that verifiers accept. */
export function toLowS(signature: Uint8Array): Buffer {
  const bytes = Buffer.from(signature)
  if (isLowS(bytes)) return bytes
  const s = ORDER - BigInt(`0x${bytes.toString('hex', 32, 64)}`)
  bytes.write(s.toString(16).padStart(64, '0'), 32, 'hex')
  return bytes
}
