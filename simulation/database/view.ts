import { type Entry, genesis, type Position, positionAfter } from '@rescind/protocol'
import type {
  Business,
  Installation,
  Member,
  NewToken,
  Revocation,
  SigningKeyRecord,
  Standing,
  TokenRecord,
} from '../../packages/server/storage/storage.ts'
import type { BulkRow, Changes } from './changes.ts'
import { memberRow } from './row-names.ts'
import { holderOf, subjectsOf, type Tables } from './tables.ts'

/** What a statement sees: what is committed at this instant, and what its own transaction wrote. */
export class View {
  readonly #source: { readonly tables: Tables }
  readonly #changes: Changes | undefined

  constructor(source: { readonly tables: Tables }, changes?: Changes) {
    this.#source = source
    this.#changes = changes
  }

  installation(): Installation | undefined {
    return this.#changes?.installation ?? this.#tables.installation
  }

  /** Whether the log as it is committed goes through `position`. */
  includes({ seq, hash }: Position): boolean {
    return seq === 0 || this.#tables.entries[seq - 1]?.hash === hash
  }

  /** @throws Error before there is an installation */
  head(): Position {
    const installation = this.#changes?.installation
    const head = installation ? genesis(installation.epoch) : this.#tables.head
    if (head === undefined) throw new Error('The revocation log begins with the installation, and there is none yet.')
    return this.#changes?.entries.reduce(positionAfter, head) ?? head
  }

  entriesAfter(seq: number, limit: number): Entry[] {
    const entries = this.#tables.entries.slice(seq, seq + limit)
    const own = this.#changes?.entries.filter((entry) => entry.seq > seq) ?? []
    return [...entries, ...own].slice(0, limit)
  }

  nextIdx(): number {
    return this.#changes?.nextIdx ?? this.#tables.nextIdx
  }

  tokenByIdOrJti(uuid: string): TokenRecord | undefined {
    const own = this.#changes?.tokens.find(({ id, jti }) => id === uuid || jti === uuid)
    const idx = own?.idx ?? this.#tables.idxByUuid.get(uuid)
    return idx === undefined ? undefined : this.token(idx)
  }

  token(idx: number): TokenRecord | undefined {
    const token = this.#newToken(idx)
    return token && { ...token, lastUsedAtMs: this.#lastUsedAtMs(idx), revocation: this.revocation(idx) }
  }

  /** The first one that covers the token. */
  revocation(idx: number): Revocation | null {
    const row = this.#tables.tokens.get(idx)
    let first = row?.revocation ?? this.#changes?.revocations.get(idx) ?? null
    const own = row ? undefined : this.#newToken(idx)
    for (const subject of row?.subjects ?? (own ? subjectsOf(own) : [])) {
      const bulk =
        firstCovering(this.#tables.bulkRevocations.get(subject), subject, idx) ??
        firstCovering(this.#changes?.bulkRevocations, subject, idx)
      if (bulk !== undefined && (first === null || bulk.seq < first.seq)) first = bulk
    }
    return first
  }

  standing(idx: number): Standing | undefined {
    const token = this.#newToken(idx)
    if (token === undefined) return undefined
    const { businessId, userId } = token
    const member = businessId === null ? undefined : this.member(businessId, userId)
    const operator = businessId === null && this.installation()?.operatorUserId === userId
    return {
      tokenId: token.id,
      jti: token.jti,
      businessId,
      userId,
      revoked: this.revocation(idx) !== null,
      role: member?.role ?? null,
      email: operator ? (this.installation()?.operatorEmail ?? null) : (member?.email ?? null),
    }
  }

  countActiveTokens(businessId: string | null, userId: string, nowMs: number): number {
    return this.activeTokens(businessId, userId, nowMs).length
  }

  activeTokens(businessId: string | null, userId: string, nowMs: number): TokenRecord[] {
    const active: TokenRecord[] = []
    const consider = (token: NewToken | undefined) => {
      if (token === undefined || token.expiresAtMs <= nowMs || this.revocation(token.idx) !== null) return
      active.push({ ...token, lastUsedAtMs: this.#lastUsedAtMs(token.idx), revocation: null })
    }
    for (const idx of this.#tables.idxsByHolder.get(holderOf(businessId, userId)) ?? []) consider(this.#newToken(idx))
    for (const token of this.#changes?.tokens ?? []) {
      if (token.businessId === businessId && token.userId === userId) consider(token)
    }
    return active
  }

  business(id: string): Business | undefined {
    return this.#changes?.businesses.get(id) ?? this.#tables.businesses.get(id)
  }

  member(businessId: string, userId: string): Member | undefined {
    return this.memberAt(memberRow(businessId, userId))
  }

  memberAt(row: string): Member | undefined {
    const own = this.#changes?.members.get(row)
    return own === null ? undefined : (own ?? this.#tables.members.get(row))
  }

  memberByEmail(businessId: string, email: string): Member | undefined {
    return this.#membersOf(businessId).find((member) => member.email === email)
  }

  countOwners(businessId: string): number {
    return this.#membersOf(businessId).filter(({ role }) => role === 'owner').length
  }

  signingKey(kid: string): SigningKeyRecord | undefined {
    return this.signingKeys().find(({ jwk }) => jwk.kid === kid)
  }

  signingKeys(): SigningKeyRecord[] {
    const retired = this.#changes?.keysRetiredMs
    const keys = [...this.#tables.signingKeys, ...(this.#changes?.signingKeys ?? [])]
    if (!retired?.size) return keys
    return keys.map((key) => ({ ...key, retiredAtMs: retired.get(key.jwk.kid) ?? key.retiredAtMs }))
  }

  get #tables(): Tables {
    return this.#source.tables
  }

  #newToken(idx: number): NewToken | undefined {
    return this.#tables.tokens.get(idx)?.token ?? this.#changes?.tokens.find((token) => token.idx === idx)
  }

  #lastUsedAtMs(idx: number): number | null {
    return this.#changes?.lastUsedMs.get(idx) ?? this.#tables.tokens.get(idx)?.lastUsedAtMs ?? null
  }

  #membersOf(businessId: string): Member[] {
    const members: Member[] = []
    for (const [row, member] of this.#tables.members) {
      if (member.businessId === businessId && !this.#changes?.members.has(row)) members.push(member)
    }
    for (const member of this.#changes?.members.values() ?? [])
      if (member?.businessId === businessId) members.push(member)
    return members
  }
}

/** @param rows in the order of the log */
function firstCovering(rows: readonly BulkRow[] | undefined, subject: string, idx: number): Revocation | undefined {
  if (rows === undefined) return undefined
  for (const row of rows) if (idx < row.beforeIdx && row.subject === subject) return row.revocation
  return undefined
}
