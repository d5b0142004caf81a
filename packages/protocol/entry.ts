import { hash } from 'node:crypto'
import { isNatural } from './natural.ts'
import { type PublicJwk, publicJwk } from './public-key.ts'
import { isUuid } from './uuid.ts'

/**
 * What an entry of the revocation log says. Bulk entries end every token of their subject whose `idx` is below
 * `beforeIdx`, the counter at the moment the entry was written. No reasons and no addresses: entries are never erased.
 */
export type EntryBody =
  | { readonly kind: 'token_revoked'; readonly idx: number }
  | { readonly kind: 'business_revoked'; readonly businessId: string; readonly beforeIdx: number }
  | {
      readonly kind: 'member_revoked'
      readonly businessId: string
      readonly userId: string
      readonly beforeIdx: number
    }
  | { readonly kind: 'key_added'; readonly jwk: PublicJwk }
  | { readonly kind: 'key_retired'; readonly kid: string }
  /**
   * The log goes on under another name, a UUID never used before: it, or the database it is in, was put back from an
   * older copy. Of the tokens that name the epoch before, those with an `idx` from `beforeIdx` on are not known any more.
   */
  | { readonly kind: 'epoch_opened'; readonly epoch: string; readonly beforeIdx: number }

/** One line of the revocation log. */
export interface Entry {
  /** Dense: 1, 2, 3, … in commit order. */
  readonly seq: number
  /** Milliseconds since the epoch, by the clock of the node that wrote it. Informative only. */
  readonly atMs: number
  readonly body: EntryBody
  /** Hash of the entry before, or {@link genesisHash} for the first. */
  readonly prevHash: string
  /** Lower-case hex SHA-256, see {@link entryHash}. */
  readonly hash: string
}

/** How far a log has been applied. Two positions name the same history only when all three agree. */
export interface Position {
  /** UUID that names the log from its beginning, or since the last entry that opened an epoch, up to here. */
  readonly epoch: string
  readonly seq: number
  readonly hash: string
}

/** What the first entry of a log continues from; binds the whole chain to its first epoch. */
function genesisHash(epoch: string): string {
  return sha256(`rescind log ${epoch}`)
}

/** The position before the first entry. */
export function genesis(firstEpoch: string): Position {
  return { epoch: firstEpoch, seq: 0, hash: genesisHash(firstEpoch) }
}

/** Where the log stands after `entry`, which {@link continues} `position`. */
export function positionAfter(position: Position, { seq, hash, body }: Entry): Position {
  return { epoch: body.kind === 'epoch_opened' ? body.epoch : position.epoch, seq, hash }
}

export function entryHash(prevHash: string, seq: number, atMs: number, body: EntryBody): string {
  return sha256(JSON.stringify([prevHash, seq, atMs, encodeEntryBody(body)]))
}

/** The entry that continues the log at `head`. */
export function nextEntry(head: Position, body: EntryBody, atMs: number): Entry {
  const seq = head.seq + 1
  return { seq, atMs, body, prevHash: head.hash, hash: entryHash(head.hash, seq, atMs, body) }
}

/** True when `entry` is the one that follows `position`, with an intact hash. */
export function continues(position: Position, entry: Entry): boolean {
  return (
    entry.seq === position.seq + 1 &&
    entry.prevHash === position.hash &&
    entry.hash === entryHash(entry.prevHash, entry.seq, entry.atMs, entry.body)
  )
}

/** The canonical text of a body: what is stored, sent and hashed. Field order is fixed here, once. */
export function encodeEntryBody(body: EntryBody): string {
  switch (body.kind) {
    case 'token_revoked':
      return JSON.stringify([body.kind, body.idx])
    case 'business_revoked':
      return JSON.stringify([body.kind, body.businessId, body.beforeIdx])
    case 'member_revoked':
      return JSON.stringify([body.kind, body.businessId, body.userId, body.beforeIdx])
    case 'key_added':
      return JSON.stringify([body.kind, publicJwk(body.jwk)])
    case 'key_retired':
      return JSON.stringify([body.kind, body.kid])
    case 'epoch_opened':
      return JSON.stringify([body.kind, body.epoch, body.beforeIdx])
  }
}

/**
 * The body that {@link encodeEntryBody} wrote.
 *
 * @throws TypeError when the text is anything else. Such an entry is damaged, or comes from a newer version; passing
 * over it could pass over a revocation.
 */
export function decodeEntryBody(text: string): EntryBody {
  const body = readEntryBody(text)
  if (body === undefined || encodeEntryBody(body) !== text) {
    throw new TypeError('The revocation log has an entry that this version cannot read; it is damaged or newer.')
  }
  return body
}

function readEntryBody(text: string): EntryBody | undefined {
  const [kind, first, second, third] = JSON.parse(text)
  switch (kind) {
    case 'token_revoked':
      return isNatural(first) ? { kind, idx: first } : undefined
    case 'business_revoked':
      return isUuid(first) && isNatural(second) ? { kind, businessId: first, beforeIdx: second } : undefined
    case 'member_revoked':
      return isUuid(first) && isUuid(second) && isNatural(third)
        ? { kind, businessId: first, userId: second, beforeIdx: third }
        : undefined
    case 'key_added':
      return { kind, jwk: publicJwk(first) }
    case 'key_retired':
      return typeof first === 'string' ? { kind, kid: first } : undefined
    case 'epoch_opened':
      return isUuid(first) && isNatural(second) ? { kind, epoch: first, beforeIdx: second } : undefined
    default:
      return undefined
  }
}

function sha256(text: string): string {
  return hash('sha256', text, 'hex')
}
