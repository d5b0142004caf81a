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
  readonly tokens: TokenRow[] = []
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
      const row = this.tokens[idx]
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
    for (const row of this.tokens) copy.tokens.push({ ...row })
    copy.signingKeys.push(...this.signingKeys)
    for (const [holder, idxs] of this.idxsByHolder) copy.idxsByHolder.set(holder, [...idxs])
    for (const [subject, rows] of this.bulkRevocations) copy.bulkRevocations.set(subject, [...rows])
    copyInto(copy.idxByUuid, this.idxByUuid)
    copyInto(copy.businesses, this.businesses)
    copyInto(copy.members, this.members)
    copyInto(copy.nodes, this.nodes)
    for (const nodeId of this.usedNodeIds) copy.usedNodeIds.add(nodeId)
    for (const nodeId of this.grantingNodeIds) copy.grantingNodeIds.add(nodeId)
    return copy
  }

  /** Goes back to an older copy of the log: what came after `seq` was never written. Tokens stay as they are. */
  forgetAfter(seq: number): void {
    if (this.installation === undefined || seq < 1 || seq >= this.entries.length) return
    this.entries.length = seq
    this.head = this.entries.reduce(positionAfter, genesis(this.installation.epoch))
    for (const row of this.tokens) if (row.revocation !== null && row.revocation.seq > seq) row.revocation = null
    for (const [subject, rows] of this.bulkRevocations) {
      const kept = rows.filter(({ revocation }) => revocation.seq <= seq)
      this.bulkRevocations.set(subject, kept)
    }
    for (const [id, node] of this.nodes) {
      this.nodes.set(id, { ...node, inForceSeq: Math.min(node.inForceSeq, seq) })
    }
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
  }

  #addToken(token: NewToken): void {
    if (token.idx !== this.tokens.length || token.idx >= this.nextIdx) {
      throw new Error(
        `The idx ${token.idx} was used before, not taken from the counter, or one before it was left out.`,
      )
    }
    if (this.idxByUuid.has(token.id) || this.idxByUuid.has(token.jti)) throw new Error('A token has a used id.')
    this.idxByUuid.set(token.id, token.idx).set(token.jti, token.idx)
    listAt(this.idxsByHolder, holderOf(token.businessId, token.userId)).push(token.idx)
    this.tokens.push({ token, subjects: subjectsOf(token), revocation: null, lastUsedAtMs: null })
  }

  #revoke(idx: number, revocation: Revocation): void {
    const row = this.tokens[idx]
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
