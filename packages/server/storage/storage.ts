import type { Readable } from 'node:stream'
import type { Entry, EntryBody, ErrorCode, Position, Unavailable } from '@rescind/protocol'
import type {
  AuditEvent,
  BulkTarget,
  Business,
  Installation,
  Member,
  NewToken,
  NodeRecord,
  Revocation,
  SigningKeyRecord,
  Standing,
  TokenRecord,
} from './records.ts'

export type * from './records.ts'

/**
 * What every storage backend guarantees: units are all-or-nothing, isolated from each other and durable once
 * `transact` resolves; the log is dense, hash-chained and append-only; what must never happen (a revocation undone, an
 * index used twice, an entry changed) is refused by the database itself, not only by this code.
 */
export interface Storage {
  /** Reads committed state only. */
  readonly read: Reads

  /**
   * Runs `unit` in one transaction. It may await nothing but methods of `tx`. What it returns is delivered after the
   * commit is durable and the follower has every entry that the unit has written or could see; what it throws rolls it
   * back. So does a
   * statement that is refused, of which the unit may hear late or never. It may be run again from its beginning, so it
   * does nothing else.
   *
   * @throws Unavailable (`storage_unavailable`) when the transaction could not be made durable: nothing of it may be acknowledged.
   */
  transact<T>(unit: (tx: Transaction) => Promise<T>): Promise<T>

  /**
   * Delivers every entry after `after` to `deliver`, in order and without gaps, each at least before a `transact`
   * resolves that wrote it or could see it. Entries already there are delivered before this resolves. One follower at a time.
   */
  follow(after: Position, deliver: (entries: readonly Entry[]) => void): Promise<void>

  /** Who may be deciding. */
  readonly membership: Membership

  /**
   * Copies everything that is committed, while it is in use. Absent where the database has tools of its own for that.
   *
   * @param begin called just before, once there is room for a copy; what it commits is in the copy, and when it refuses,
   *   none is made
   * @returns what `begin` refused with, or `backup_no_room`, also when the disk becomes full meanwhile
   * @throws Unavailable when it cannot be made now
   */
  readonly copy?: (
    begin: () => Promise<object | { readonly refused: ErrorCode }>,
  ) => Promise<DatabaseCopy | { readonly refused: ErrorCode }>

  /** Resolves when the storage can no longer promise anything (a commit failed); the process must stop. */
  readonly failed: Promise<Unavailable>

  /** Waits for running units, then releases files and locks. Later calls fail with {@link Unavailable}. */
  close(): Promise<void>
}

/**
 * The nodes of the installation. Everything here is read from and written to the one place where entries are committed,
 * and is durable when it resolves: whoever reads the members after an entry was committed sees every node that has not
 * seen the entry yet.
 *
 * @throws Unavailable (`storage_unavailable`) from every method, when nothing is known to have happened
 */
export interface Membership {
  /** Adds a node with no renewals that has reported nothing. An id that was used before is refused with an Error. */
  join(node: { readonly nodeId: string; readonly leaseMs: number }): Promise<void>
  /**
   * To be called before the node grants its first lease: from then on whoever comes after it knows that there may be
   * some. A node that ended without ever granting may be gone from the members as soon as it cannot decide any more.
   *
   * @throws Error for a node that is no member
   */
  announceGrants(nodeId: string): Promise<void>
  /**
   * Counts a renewal and records what is in force, in one statement that also reads the head. No count comes twice,
   * even of a renewal that was seen and did not last.
   *
   * @returns the head, or `undefined` when the node is no member any more
   */
  renew(nodeId: string, inForceSeq: number): Promise<Position | undefined>
  /** Records what is in force without renewing. Does nothing for a node that is no member any more. */
  report(nodeId: string, inForceSeq: number): Promise<void>
  members(): Promise<readonly NodeRecord[]>
  /**
   * Calls `hint` when another node may have reported something. It may be missed, and may come for nothing: reading the
   * members now and then is enough.
   */
  onReport(hint: () => void): void
  /** Removes a node that has stopped deciding, and from which nobody holds a lease. */
  leave(nodeId: string): Promise<void>
  /** Removes a node that has ended without leaving, unless it has renewed beyond `renewals`. */
  remove(nodeId: string, renewals: number): Promise<void>
}

/** A file that a data folder can be restored from. */
export interface DatabaseCopy {
  readonly bytes: number
  /** To be read to its end, or destroyed. */
  readonly content: Readable
}

/** The storage cannot be opened; the message tells a person what to do. */
export class StorageRefused extends Error {
  override readonly name = 'StorageRefused'
}

export interface Reads {
  installation(): Promise<Installation | undefined>
  head(): Promise<Position>
  /** The entries after `seq`, in order, at most `limit` of them. */
  entriesAfter(seq: number, limit: number): Promise<Entry[]>

  /** By the record's id or by the jti: both are UUIDs, neither repeats. */
  tokenByIdOrJti(uuid: string): Promise<TokenRecord | undefined>
  /** As it is now; while a database elsewhere cannot be reached, as it was when it was last read. */
  standing(idx: number): Promise<Standing | undefined>
  /** Tokens of one holder that are neither revoked nor expired at `nowMs`. */
  activeTokens(businessId: string | null, userId: string, nowMs: number): Promise<TokenRecord[]>
  countActiveTokens(businessId: string | null, userId: string, nowMs: number): Promise<number>
  listTokens(query: TokenQuery): Promise<TokenRecord[]>
  countTokens(filter: TokenFilter): Promise<number>

  business(id: string): Promise<Business | undefined>
  member(businessId: string, userId: string): Promise<Member | undefined>
  memberByEmail(businessId: string, email: string): Promise<Member | undefined>
  countOwners(businessId: string): Promise<number>

  signingKey(kid: string): Promise<SigningKeyRecord | undefined>
  /** Oldest first, retired ones included. */
  signingKeys(): Promise<SigningKeyRecord[]>
}

/** A transaction in progress: reads see its own writes. */
export interface Transaction extends Reads {
  /**
   * Takes, in this order, the locks that issuing a token shares with bulk revocations of its business, member and key,
   * before any of them reads the index counter. What is not there is not added either before this transaction has ended.
   */
  lockHolder(holder: { businessId: string | null; userId: string; kid: string }): Promise<void>
  /** As {@link lockHolder}, for what ends tokens. */
  lockTarget(subject: BulkTarget): Promise<void>
  /** As in {@link Reads}, and nothing of it changes before this transaction has ended. */
  standing(idx: number): Promise<Standing | undefined>
  /** The next index, used by nobody else ever again. */
  takeIdx(): Promise<number>
  /** The index the next token will get. */
  nextIdx(): Promise<number>
  /** Gives up the next indexes, `count` of them: they may have been used in a history that was lost. */
  skipIdxs(count: number): Promise<void>

  createInstallation(installation: Installation): Promise<void>
  insertToken(token: NewToken): Promise<void>
  appendEntry(body: EntryBody, atMs: number): Promise<Entry>
  /** Records the revocation of one token on its row. The entry must have been appended. */
  markRevoked(idx: number, revocation: Revocation): Promise<void>
  /** Records a bulk revocation: from now on every token of `subject` with an index below `beforeIdx` reads as revoked. */
  insertBulkRevocation(subject: BulkTarget, beforeIdx: number, revocation: Revocation): Promise<void>
  /** Keeps the later of the stored and the given time, for each index. */
  recordUsage(usage: ReadonlyMap<number, number>): Promise<void>

  upsertBusiness(business: Business): Promise<void>
  upsertMember(member: Member): Promise<void>
  deleteMember(businessId: string, userId: string): Promise<void>

  insertSigningKey(key: SigningKeyRecord): Promise<void>
  markKeyRetired(kid: string, atMs: number): Promise<void>

  insertAuditEvent(event: AuditEvent): Promise<void>
}

export type TokenSort = 'created_at' | 'name' | 'expires_at' | 'last_used_at'

/** Which tokens of a business. */
export interface TokenFilter {
  readonly businessId: string | null
  /** Only this holder's; every member's when absent. */
  readonly userId?: string
  readonly includeRevoked: boolean
}

/** A page of tokens in keyset order: by the sort column, a missing value before every other, then by id. */
export interface TokenQuery extends TokenFilter {
  readonly sort: TokenSort
  readonly descending: boolean
  /** Only rows strictly after this place in the order of the query. */
  readonly after?: TokenPlace
  readonly limit: number
}

/** A row's place in an order. Times in milliseconds; `null` is a missing `last_used_at`. */
export interface TokenPlace {
  readonly value: string | number | null
  readonly id: string
}
