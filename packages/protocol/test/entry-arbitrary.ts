import { type EntryBody, encodeBase64url, publicJwk } from '@rescind/protocol'
import fc from 'fast-check'

const plain = { noNullPrototype: true } as const
const idx = fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat())

/** Few subjects, so that entries meet each other. */
export const subjectId = fc.constantFrom(
  '11111111-0000-4000-8000-000000000000',
  '22222222-0000-4000-8000-000000000000',
  '33333333-0000-4000-8000-000000000000',
)

/** The public keys of RFC 8032 section 7.1, tests 1 and 2. */
const KEYS = [
  'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
].map((hex) => publicJwk({ kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(Buffer.from(hex, 'hex')) }))

const jwk = fc.constantFrom(...KEYS)

/** Any epoch: one that is opened was never used before. */
const epochOpened = fc.record(
  { kind: fc.constant('epoch_opened' as const), epoch: fc.uuid({ version: 4 }), beforeIdx: idx },
  plain,
)

export const entryBody: fc.Arbitrary<EntryBody> = fc.oneof(
  fc.record({ kind: fc.constant('token_revoked' as const), idx }, plain),
  fc.record({ kind: fc.constant('business_revoked' as const), businessId: subjectId, beforeIdx: idx }, plain),
  fc.record(
    { kind: fc.constant('member_revoked' as const), businessId: subjectId, userId: subjectId, beforeIdx: idx },
    plain,
  ),
  fc.record({ kind: fc.constant('key_retired' as const), kid: jwk.map(({ kid }) => kid) }, plain),
  fc.record({ kind: fc.constant('key_added' as const), jwk }, plain),
  epochOpened,
)
