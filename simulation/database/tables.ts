import { type Entry, genesis, type Position, positionAfter } from '@rescind/protocol'
import type {
  Business,
  Installation,
  Member,
  NewToken,
  NodeRecord,
  Revocation,
  SigningKeyRecord,
} from '../../packages/server/storage/storage.ts'
import type { BulkRow, Changes } from './changes.ts'
import { businessRow, keyRow, memberRow } from './row-names.ts'

/** A committed token. */
export interface TokenRow {
  readonly token: NewToken
  /** Names of the rows whose bulk revocations cover the token. */
  readonly subjects: readonly string[]
  /** Its own, not a bulk one. */
  revocation: Revocation | null
  lastUsedAtMs: number | null
}

/** What is committed, and durable. Everything in here may be read by checks; only {@link apply} writes. */
export class Tables {
  installation: Installation | undefined
  head: Position | undefined
  /** Entry `seq` is at `seq - 1`. */
  readonly entries: Entry[] = []
  nextIdx = 0
  /** By idx. Whoever takes an index inserts its token, and in that order, since the counter is locked until the end. */
  readonly tokens = new Map<number, TokenRow>()
  /** What the counter was when entry `seq` was committed, at `seq`. */
  readonly #nextIdxAt: number[] = []
  /** By id and by jti. */
  readonly idxByUuid = new Map<string, number>()
  /** By {@link holderOf}. */
  readonly idxsByHolder = new Map<string, number[]>()
  /** By the name of the subject's row, in the order of the log. */
  readonly bulkRevocations = new Map<string, BulkRow[]>()
  readonly businesses = new Map<string, Business>()
  /** By {@link memberRow}. */
  readonly members = new Map<string, Member>()
  /** Oldest first. */
  readonly signingKeys: SigningKeyRecord[] = []
  readonly nodes = new Map<string, NodeRecord>()
  readonly usedNodeIds = new Set<string>()
  /** Those whose rows an older copy does not have. */
  readonly lostNodeIds = new Set<string>()
  /** The row that stands in for those. */
  standInId: string | undefined
  readonly grantingNodeIds = new Set<string>()
  auditEvents = 0

  /**
   * Makes the changes of a transaction visible, all at once.
   *
   * @throws Error when they break what the database promises: that is a fault of the simulation, or of who wrote them
   */
  apply(changes: Changes): void {
    if (changes.installation) this.#install(changes.installation)
    if (changes.nextIdx !== undefined) this.nextIdx = changes.nextIdx
    for (const token of changes.tokens) this.#addToken(token)
    for (const entry of changes.entries) this.#append(entry)
    for (const [idx, revocation] of changes.revocations) this.#revoke(idx, revocation)
    for (const row of changes.bulkRevocations) listAt(this.bulkRevocations, row.subject).push(row)
    for (const [idx, atMs] of changes.lastUsedMs) {
      const row = this.tokens.get(idx)
      if (row) row.lastUsedAtMs = Math.max(row.lastUsedAtMs ?? 0, atMs)
    }
    for (const [id, business] of changes.businesses) this.businesses.set(id, business)
    for (const [row, member] of changes.members) {
      if (member === null) this.members.delete(row)
      else this.members.set(row, member)
    }
    this.signingKeys.push(...changes.signingKeys)
    for (const [kid, retiredAtMs] of changes.keysRetiredMs) {
      const at = this.signingKeys.findIndex(({ jwk }) => jwk.kid === kid)
      const key = this.signingKeys[at]
      if (key !== undefined) this.signingKeys[at] = { ...key, retiredAtMs }
    }
    this.auditEvents += changes.auditEvents
  }

  /** The same, to go on differently. */
  copy(): Tables {
    const copy = new Tables()
    copy.installation = this.installation
    copy.head = this.head
    copy.nextIdx = this.nextIdx
    copy.auditEvents = this.auditEvents
    copy.entries.push(...this.entries)
    for (const [idx, row] of this.tokens) copy.tokens.set(idx, { ...row })
    copy.#nextIdxAt.push(...this.#nextIdxAt)
    copy.signingKeys.push(...this.signingKeys)
    for (const [holder, idxs] of this.idxsByHolder) copy.idxsByHolder.set(holder, [...idxs])
    for (const [subject, rows] of this.bulkRevocations) copy.bulkRevocations.set(subject, [...rows])
    copyInto(copy.idxByUuid, this.idxByUuid)
    copyInto(copy.businesses, this.businesses)
    copyInto(copy.members, this.members)
    copyInto(copy.nodes, this.nodes)
    for (const nodeId of this.usedNodeIds) copy.usedNodeIds.add(nodeId)
    for (const nodeId of this.grantingNodeIds) copy.grantingNodeIds.add(nodeId)
    for (const nodeId of this.lostNodeIds) copy.lostNodeIds.add(nodeId)
    copy.standInId = this.standInId
    return copy
  }

  /** Goes back to an older copy: entries after `seq`, the tokens that were issued after it, and the nodes, were never written. Members stay as they are. */
  forgetAfter(seq: number): void {
    if (this.installation === undefined || seq < 1 || seq >= this.entries.length) return
    this.entries.length = seq
    this.head = this.entries.reduce(positionAfter, genesis(this.installation.epoch))
    this.nextIdx = this.#nextIdxAt[seq] ?? this.nextIdx
    for (const [idx, row] of this.tokens) {
      if (idx >= this.nextIdx) this.#loseToken(row.token)
      else if (row.revocation !== null && row.revocation.seq > seq) row.revocation = null
    }
    for (const [subject, rows] of this.bulkRevocations) {
      const kept = rows.filter(({ revocation }) => revocation.seq <= seq)
      this.bulkRevocations.set(subject, kept)
    }
    for (const id of this.nodes.keys()) this.lostNodeIds.add(id)
    this.nodes.clear()
  }

  #install(installation: Installation): void {
    if (this.installation) throw new Error('There is one installation, written once.')
    this.installation = installation
    this.head = genesis(installation.epoch)
  }

  #append(entry: Entry): void {
    if (this.head === undefined || entry.seq !== this.head.seq + 1 || entry.prevHash !== this.head.hash) {
      throw new Error(`Entry ${entry.seq} does not continue the head of the log.`)
    }
    this.entries.push(entry)
    this.head = positionAfter(this.head, entry)
    this.#nextIdxAt[entry.seq] = this.nextIdx
  }

  #addToken(token: NewToken): void {
    if (this.tokens.has(token.idx) || token.idx >= this.nextIdx) {
      throw new Error(`The idx ${token.idx} was used before, or not taken from the counter.`)
    }
    if (this.idxByUuid.has(token.id) || this.idxByUuid.has(token.jti)) throw new Error('A token has a used id.')
    this.idxByUuid.set(token.id, token.idx).set(token.jti, token.idx)
    listAt(this.idxsByHolder, holderOf(token.businessId, token.userId)).push(token.idx)
    this.tokens.set(token.idx, { token, subjects: subjectsOf(token), revocation: null, lastUsedAtMs: null })
  }

  #loseToken(token: NewToken): void {
    this.tokens.delete(token.idx)
    this.idxByUuid.delete(token.id)
    this.idxByUuid.delete(token.jti)
    const holder = holderOf(token.businessId, token.userId)
    const kept = this.idxsByHolder.get(holder)?.filter((idx) => idx !== token.idx) ?? []
    this.idxsByHolder.set(holder, kept)
  }

  #revoke(idx: number, revocation: Revocation): void {
    const row = this.tokens.get(idx)
    if (row === undefined || row.revocation !== null)
      throw new Error(`The token ${idx} is revoked already, or missing.`)
    const { body } = this.entries[revocation.seq - 1] ?? {}
    if (body?.kind !== 'token_revoked' || body.idx !== idx) throw new Error(`No entry revokes the token ${idx}.`)
    row.revocation = revocation
  }
}

export function holderOf(businessId: string | null, userId: string): string {
  return `${businessId} ${userId}`
}

/** The rows whose bulk revocations cover a token. */
export function subjectsOf({ businessId, userId, kid }: NewToken): string[] {
  return businessId === null ? [keyRow(kid)] : [businessRow(businessId), memberRow(businessId, userId), keyRow(kid)]
}

function copyInto<K, V>(copy: Map<K, V>, original: ReadonlyMap<K, V>): void {
  for (const [key, value] of original) copy.set(key, value)
}

function listAt<T>(lists: Map<string, T[]>, key: string): T[] {
  let list = lists.get(key)
  if (list === undefined) {
    list = []
    lists.set(key, list)
  }
  return list
}
