import {
  type Entry,
  FEED_VERSION,
  GOODBYE_REASONS,
  MAX_FORMER_IDS,
  MAX_USES,
  type Position,
  type ServiceMessage,
  type VerifierMessage,
} from '@rescind/protocol'
import fc from 'fast-check'
import { entryBody } from './entry-arbitrary.ts'

const plain = { noNullPrototype: true } as const
const natural = fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat())
const length = natural.map((value) => Math.max(1, value))
const hash = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 })
const uuid = fc.uuid()
/** Any sequence of UTF-16 code units, whole characters or not. */
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.array(fc.nat({ max: 0xffff }), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
)

const position: fc.Arbitrary<Position> = fc.record({ epoch: uuid, seq: natural, hash }, plain)

const entry: fc.Arbitrary<Entry> = fc.record(
  { seq: natural, atMs: natural, body: entryBody, prevHash: hash, hash },
  plain,
)

const verifierMessages: { [T in VerifierMessage['type']]: fc.Arbitrary<Extract<VerifierMessage, { type: T }>> } = {
  hello: fc.record(
    {
      type: fc.constant('hello'),
      version: fc.constant(FEED_VERSION),
      position: fc.option(position),
      formerly: fc.array(uuid, { maxLength: MAX_FORMER_IDS }),
    },
    plain,
  ),
  renew: fc.record({ type: fc.constant('renew'), nonce: natural }, plain),
  applied: fc.record({ type: fc.constant('applied'), seq: natural, hash }, plain),
  usage: fc.record(
    { type: fc.constant('usage'), uses: fc.array(fc.tuple(natural, natural), { maxLength: MAX_USES }) },
    plain,
  ),
  goodbye: fc.record({ type: fc.constant('goodbye') }, plain),
}

const serviceMessages: { [T in ServiceMessage['type']]: fc.Arbitrary<Extract<ServiceMessage, { type: T }>> } = {
  welcome: fc.record(
    {
      type: fc.constant('welcome'),
      verifierId: uuid,
      epoch: uuid,
      issuer: text,
      tokenPrefix: text,
      leaseMs: length,
      resync: fc.boolean(),
    },
    plain,
  ),
  snapshot: fc.record({ type: fc.constant('snapshot'), position, bytes: length, sha256: hash }, plain),
  entries: fc.record({ type: fc.constant('entries'), entries: fc.array(entry, { minLength: 1 }) }, plain),
  grant: fc.record({ type: fc.constant('grant'), nonce: natural, leaseMs: length, seq: natural }, plain),
  goodbye: fc.record({ type: fc.constant('goodbye'), reason: fc.constantFrom(...GOODBYE_REASONS) }, plain),
}

/** Every message of a verifier. */
export const verifierMessage: fc.Arbitrary<VerifierMessage> = fc.oneof(...Object.values(verifierMessages))

/** Every message of a service. */
export const serviceMessage: fc.Arbitrary<ServiceMessage> = fc.oneof(...Object.values(serviceMessages))
