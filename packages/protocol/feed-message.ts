import { decodeEntryBody, type Entry, encodeEntryBody, type Position } from './entry.ts'
import { isNatural } from './natural.ts'
import { isUuid } from './uuid.ts'

/**
 * The messages of the feed: JSON texts, one a WebSocket message. A snapshot follows its announcement as binary messages.
 * `docs/protocol.md` says when each is sent and what it means.
 */

/** Where the service takes connections of verifiers: WebSocket (RFC 6455), with a token of scope `feed`. */
export const FEED_PATH = '/api/v1/revocations/feed'

export const FEED_VERSION = 1

/** Largest text message, in bytes of UTF-8. */
export const MAX_FEED_MESSAGE_BYTES = 256 * 1024

/** Largest piece of a snapshot, in bytes. */
export const SNAPSHOT_PIECE_BYTES = 64 * 1024

/** Most uses in one message. */
export const MAX_USES = 1_000

/** Most former connections that a verifier names. */
export const MAX_FORMER_IDS = 16

/** From a verifier. */
export type VerifierMessage =
  /** First on every connection. */
  | {
      readonly type: 'hello'
      readonly version: number
      /** What has been applied, `null` when nothing can be built on. */
      readonly position: Position | null
      /**
       * The ids that this verifier was welcomed with before, oldest first, {@link MAX_FORMER_IDS} at most. What it says
       * it has applied, and its goodbye, are true of what it was granted over those connections too.
       */
      readonly formerly: readonly string[]
    }
  /** Asks for a lease. The nonce is used once in the life of the verifier. */
  | { readonly type: 'renew'; readonly nonce: number }
  /** Everything up to here has been applied. */
  | { readonly type: 'applied'; readonly seq: number; readonly hash: string }
  /** When tokens were last accepted: pairs of index and milliseconds since the epoch. */
  | { readonly type: 'usage'; readonly uses: readonly (readonly [idx: number, atMs: number])[] }
  /** The verifier has stopped deciding and holds no lease any more. */
  | { readonly type: 'goodbye' }

/** From the service. */
export type ServiceMessage =
  /** Answers `hello`: what the tokens of this installation look like, and how long its leases are. */
  | {
      readonly type: 'welcome'
      /** The verifier's id, chosen for this connection. Told to nobody else: whoever knows it can speak for the verifier. */
      readonly verifierId: string
      readonly epoch: string
      readonly issuer: string
      readonly tokenPrefix: string
      readonly leaseMs: number
      /**
       * The position in `hello` is not of this log: void every lease, keep everything that is revoked, and take the
       * snapshot that follows. Said here, so that no lease can come before it.
       */
      readonly resync: boolean
    }
  /** Announces the state at a position, in binary messages that follow at once. */
  | {
      readonly type: 'snapshot'
      readonly position: Position
      readonly bytes: number
      /** Lower-case hex SHA-256 of all of them. */
      readonly sha256: string
    }
  /** The next entries of the log. At least one. */
  | { readonly type: 'entries'; readonly entries: readonly Entry[] }
  /** Answers `renew`: a lease for whoever has applied `seq`. */
  | { readonly type: 'grant'; readonly nonce: number; readonly leaseMs: number; readonly seq: number }
  /** No more grants will come on this connection. */
  | { readonly type: 'goodbye'; readonly reason: GoodbyeReason }

/** `leaving`: the node shuts down, connect again. `credential_ended`: stop deciding, this credential gets nothing any more. */
export const GOODBYE_REASONS = ['leaving', 'credential_ended'] as const

export type GoodbyeReason = (typeof GOODBYE_REASONS)[number]

export function encodeVerifierMessage(message: VerifierMessage): string {
  return JSON.stringify(message)
}

export function encodeServiceMessage(message: ServiceMessage): string {
  if (message.type !== 'entries') return JSON.stringify(message)
  return JSON.stringify({ type: message.type, entries: message.entries.map(entryToWire) })
}

/** @returns `undefined` for everything that {@link encodeVerifierMessage} does not write. Never throws. */
export function decodeVerifierMessage(text: string): VerifierMessage | undefined {
  return decode(text, VERIFIER_MESSAGES) as VerifierMessage | undefined
}

/** @returns `undefined` for everything that {@link encodeServiceMessage} does not write. Never throws. */
export function decodeServiceMessage(text: string): ServiceMessage | undefined {
  const message = decode(text, SERVICE_MESSAGES)
  if (message?.type !== 'entries') return message as ServiceMessage | undefined
  const entries = entriesFromWire(message.entries as unknown[])
  return entries && { type: 'entries', entries }
}

type Check = (value: unknown) => boolean
type Fields = Readonly<Record<string, Check>>

const isVersion: Check = (value) => value === FEED_VERSION
const isHash: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
const isText: Check = (value) => typeof value === 'string' && value.length <= 1_000
const isLength: Check = (value) => isNatural(value) && value > 0
const isPosition: Check = (value) => hasFields(value, { epoch: isUuid, seq: isNatural, hash: isHash })

const VERIFIER_MESSAGES: Readonly<Record<VerifierMessage['type'], Fields>> = {
  hello: {
    version: isVersion,
    position: (value) => value === null || isPosition(value),
    formerly: (value) => isList(value, MAX_FORMER_IDS) && value.every(isUuid),
  },
  renew: { nonce: isNatural },
  applied: { seq: isNatural, hash: isHash },
  usage: {
    uses: (value) =>
      isList(value, MAX_USES) && value.every((use) => isList(use, 2) && use.length === 2 && use.every(isNatural)),
  },
  goodbye: {},
}

const SERVICE_MESSAGES: Readonly<Record<ServiceMessage['type'], Fields>> = {
  welcome: {
    verifierId: isUuid,
    epoch: isUuid,
    issuer: isText,
    tokenPrefix: isText,
    leaseMs: isLength,
    resync: (value) => typeof value === 'boolean',
  },
  snapshot: { position: isPosition, bytes: isLength, sha256: isHash },
  entries: { entries: (value) => isList(value, Number.POSITIVE_INFINITY) && value.length > 0 },
  grant: { nonce: isNatural, leaseMs: isLength, seq: isNatural },
  goodbye: { reason: (value) => GOODBYE_REASONS.some((each) => each === value) },
}

/** A message has exactly the fields of its type, in the order they are written in: there is one text for it. */
function decode(text: string, types: Readonly<Record<string, Fields>>): Record<string, unknown> | undefined {
  if (text.length > MAX_FEED_MESSAGE_BYTES) return undefined
  let message: unknown
  try {
    message = JSON.parse(text)
    // What is nested too deep to be written cannot have been written.
    if (JSON.stringify(message) !== text) return undefined
  } catch {
    return undefined
  }
  if (!isRecord(message) || typeof message.type !== 'string' || !Object.hasOwn(types, message.type)) return undefined
  return hasFields(message, { type: () => true, ...types[message.type] }) ? message : undefined
}

function hasFields(value: unknown, fields: Fields): boolean {
  if (!isRecord(value)) return false
  const names = Object.keys(value)
  const expected = Object.entries(fields)
  return (
    names.length === expected.length && expected.every(([name, check], at) => names[at] === name && check(value[name]))
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isList(value: unknown, most: number): value is unknown[] {
  return Array.isArray(value) && value.length <= most
}

function entryToWire({ seq, atMs, body, prevHash, hash }: Entry): unknown[] {
  return [seq, atMs, encodeEntryBody(body), prevHash, hash]
}

function entriesFromWire(wire: readonly unknown[]): Entry[] | undefined {
  const entries: Entry[] = []
  for (const item of wire) {
    if (!isList(item, 5) || item.length !== 5) return undefined
    const [seq, atMs, body, prevHash, hash] = item
    if (!isNatural(seq) || !isNatural(atMs) || typeof body !== 'string' || !isHash(prevHash) || !isHash(hash)) {
      return undefined
    }
    try {
      entries.push({ seq, atMs, body: decodeEntryBody(body), prevHash: prevHash as string, hash: hash as string })
    } catch {
      return undefined
    }
  }
  return entries
}
