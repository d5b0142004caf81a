/** The `code` of every success envelope: a closed list that clients may branch on. */
export const SUCCESS_CODES = {
  TOKEN_CREATED: 'A token was issued. It is shown in this response only.',
  TOKEN_REVOKED: 'This request revoked the token.',
  TOKEN_ALREADY_REVOKED: 'The token had been revoked before; the data is that of the first revocation.',
  TOKEN_FOUND: 'One token.',
  TOKENS_LISTED: 'One page of tokens.',
  TOKEN_VERIFIED: 'The verdict on a token. It may be a rejection.',
  BUSINESS_SAVED: 'The business was created or changed.',
  BUSINESS_FOUND: 'One business.',
  BUSINESS_TOKENS_REVOKED: 'Every token of the business issued so far is revoked.',
  MEMBER_SAVED: 'The member was created or changed.',
  MEMBER_FOUND: 'One member.',
  MEMBER_REMOVED: 'The member was removed and every token of theirs revoked.',
  MEMBER_TOKENS_REVOKED: 'Every token of the member issued so far is revoked.',
  KEYS_LISTED: 'The signing keys.',
  KEY_ROTATED: 'A new key signs from now on; tokens of earlier keys stay valid.',
  KEY_RETIRED: 'The key is gone and every token it signed is revoked.',
} as const satisfies Record<string, string>

export type SuccessCode = keyof typeof SUCCESS_CODES
