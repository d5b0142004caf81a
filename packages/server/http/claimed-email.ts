import { redactTokens } from '@rescind/protocol'

/** Longest address kept, in UTF-16 units. No address of a member is longer. */
const MAX_LENGTH = 320

/**
 * `x-user-email` as it is recorded: lower case, without tokens, cut at a length no real address has. `null` when the
 * header is absent or blank.
 *
 * @param header As Node delivers it: one character a byte
 */
export function claimedEmail(header: string | string[] | undefined): string | null {
  if (typeof header !== 'string') return null
  const whole = redactTokens(Buffer.from(header, 'latin1').toString('utf8').trim()).toLowerCase()
  if (whole === '') return null
  return whole.length <= MAX_LENGTH ? whole : `${whole.slice(0, MAX_LENGTH).toWellFormed()}…`
}
