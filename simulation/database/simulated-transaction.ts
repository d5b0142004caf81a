import { type Entry, type EntryBody, nextEntry, type Position } from '@rescind/protocol'
import type {
  BulkTarget,
  Business,
  Installation,
  Member,
  NewToken,
  Revocation,
  SigningKeyRecord,
  Standing,
  Transaction,
} from '../../packages/server/storage/storage.ts'
import type { Changes } from './changes.ts'
import type { DatabaseLink } from './database-link.ts'
import type { LockMode } from './row-locks.ts'
import { businessRow, COUNTER_ROW, emailRow, HEAD_ROW, keyRow, memberRow, targetRow, tokenRow } from './row-names.ts'
import { Conflict, Diverged, type RowClaim, type Session } from './session.ts'
import { SimulatedReads } from './simulated-reads.ts'
import type { View } from './view.ts'

/** A transaction as its unit sees it: every call is a round trip to the database, and takes the locks PostgreSQL would. */
export class SimulatedTransaction extends SimulatedReads implements Transaction {
  readonly #link: DatabaseLink
  readonly #session: Session
  readonly #followed: () => Position
  /** Where the log ended when the last statement ran; `undefined` when there was no installation. */
  seenHead: Position | undefined
  #ended = false

  /** @param followed where whoever began it has followed the log to */
  constructor(link: DatabaseLink, session: Session, followed: () => Position) {
    super((read) => this.#run([], read))
    this.#link = link
    this.#session = session
    this.#followed = followed
  }

  /** The unit has ended; what it still calls fails. */
  end(): void {
    this.#ended = true
  }

  lockHolder({ businessId, userId, kid }: { businessId: string | null; userId: string; kid: string }): Promise<void> {
    const rows = businessId === null ? [] : [businessRow(businessId), memberRow(businessId, userId)]
    return this.#run(
      [...rows, keyRow(kid)].map((row) => ({ row, mode: 'shared' })),
      () => {},
    )
  }

  lockTarget(subject: BulkTarget): Promise<void> {
    return this.#run([exclusive(targetRow(subject))], () => {})
  }

  /** What the standing depends on stays as it is until the transaction ends. */
  override standing(idx: number): Promise<Standing | undefined> {
    const token = this.#session.view.token(idx)
    const { businessId, userId } = token ?? { businessId: null, userId: '' }
    const holder =
      businessId === null ? [] : [businessIfThere(businessId, 'shared'), memberIfThere(businessId, userId, 'shared')]
    const key = token === undefined ? [] : [keyIfThere(token.kid, 'shared')]
    return this.#run([...holder, ...key, { row: tokenRow(idx), mode: 'shared' }], (view) => view.standing(idx))
  }

  takeIdx(): Promise<number> {
    return this.#write([exclusive(COUNTER_ROW)], (changes, view) => {
      const idx = view.nextIdx()
      changes.nextIdx = idx + 1
      return idx
    })
  }

  nextIdx(): Promise<number> {
    return this.#run([], (view) => view.nextIdx())
  }

  skipIdxs(count: number): Promise<void> {
    return this.#write([exclusive(COUNTER_ROW)], (changes, view) => {
      changes.nextIdx = view.nextIdx() + count
    })
  }

  createInstallation(installation: Installation): Promise<void> {
    return this.#write([exclusive('installation')], (changes, view) => {
      if (view.installation()) throw new Conflict('There is one installation, written once.')
      changes.installation = installation
    })
  }

  insertToken(token: NewToken): Promise<void> {
    return this.#write([], (changes, view) => {
      if (token.idx >= view.nextIdx()) throw new Error('The idx of a token must be taken from the counter.')
      changes.tokens.push(token)
    })
  }

  appendEntry(body: EntryBody, atMs: number): Promise<Entry> {
    const followed = this.#followed()
    return this.#write([exclusive(HEAD_ROW)], (changes, view) => {
      if (!view.includes(followed)) throw new Diverged()
      const entry = nextEntry(view.head(), body, atMs)
      changes.entries.push(entry)
      return entry
    })
  }

  markRevoked(idx: number, revocation: Revocation): Promise<void> {
    return this.#write([exclusive(tokenRow(idx))], (changes, view) => {
      if (view.token(idx) === undefined) throw new Error(`There is no token with idx ${idx}.`)
      if (view.revocation(idx) !== null) throw new Conflict('The token is already revoked by an earlier entry.')
      requireEntry(
        changes,
        revocation,
        ({ kind, ...body }) => kind === 'token_revoked' && 'idx' in body && body.idx === idx,
      )
      changes.revocations.set(idx, revocation)
    })
  }

  insertBulkRevocation(subject: BulkTarget, beforeIdx: number, revocation: Revocation): Promise<void> {
    return this.#write([], (changes) => {
      requireEntry(changes, revocation, ({ kind }) => kind === BULK_ENTRIES[subject.kind])
      changes.bulkRevocations.push({ subject: targetRow(subject), beforeIdx, revocation })
    })
  }

  recordUsage(usage: ReadonlyMap<number, number>): Promise<void> {
    const rows = [...usage.keys()].map((idx) => exclusive(tokenRow(idx)))
    return this.#write(rows, (changes) => {
      for (const [idx, atMs] of usage) changes.lastUsedMs.set(idx, atMs)
    })
  }

  upsertBusiness(business: Business): Promise<void> {
    return this.#write([exclusive(businessRow(business.id))], (changes, view) => {
      const { createdAtMs } = view.business(business.id) ?? business
      changes.businesses.set(business.id, { ...business, createdAtMs })
    })
  }

  upsertMember(member: Member): Promise<void> {
    const { businessId, userId, email } = member
    const rows = [exclusive(memberRow(businessId, userId)), exclusive(emailRow(businessId, email))]
    return this.#write(rows, (changes, view) => {
      const holder = view.memberByEmail(businessId, email)
      if (holder && holder.userId !== userId) throw new Conflict('Another member of the business has this email.')
      const { createdAtMs } = view.member(businessId, userId) ?? member
      changes.members.set(memberRow(businessId, userId), { ...member, createdAtMs })
    })
  }

  deleteMember(businessId: string, userId: string): Promise<void> {
    return this.#write([memberIfThere(businessId, userId, 'exclusive')], (changes) => {
      changes.members.set(memberRow(businessId, userId), null)
    })
  }

  insertSigningKey(key: SigningKeyRecord): Promise<void> {
    return this.#write([exclusive(keyRow(key.jwk.kid))], (changes, view) => {
      if (view.signingKey(key.jwk.kid)) throw new Conflict('A signing key is added once.')
      changes.signingKeys.push(key)
    })
  }

  markKeyRetired(kid: string, atMs: number): Promise<void> {
    return this.#write([keyIfThere(kid, 'exclusive')], (changes, view) => {
      const key = view.signingKey(kid)
      if (key === undefined) throw new Error(`There is no signing key ${kid}.`)
      if (key.retiredAtMs !== null) throw new Conflict('A signing key is retired once.')
      changes.keysRetiredMs.set(kid, atMs)
    })
  }

  insertAuditEvent(): Promise<void> {
    return this.#write([], (changes) => {
      changes.auditEvents++
    })
  }

  #write<T>(claims: readonly RowClaim[], write: (changes: Changes, view: View) => T): Promise<T> {
    return this.#run(claims, (view) => {
      const { changes } = this.#session
      changes.writes++
      return write(changes, view)
    })
  }

  #run<T>(claims: readonly RowClaim[], step: (view: View) => T): Promise<T> {
    if (this.#ended) {
      return Promise.reject(new Error('The transaction has ended; everything it does must be awaited inside its unit.'))
    }
    const session = this.#session
    const { view } = session
    const told = () => ({ value: step(view), head: view.installation() && view.head() })
    return this.#link
      .ask<ReturnType<typeof told>>((answer) => session.execute(claims, told, answer))
      .then(({ value, head }) => {
        this.seenHead = head
        return value
      })
  }
}

const BULK_ENTRIES = { business: 'business_revoked', member: 'member_revoked', key: 'key_retired' } as const

function exclusive(row: string): RowClaim {
  return { row, mode: 'exclusive' }
}

function businessIfThere(businessId: string, mode: LockMode): RowClaim {
  return { row: businessRow(businessId), mode, exists: (view) => view.business(businessId) !== undefined }
}

function memberIfThere(businessId: string, userId: string, mode: LockMode): RowClaim {
  const row = memberRow(businessId, userId)
  return { row, mode, exists: (view) => view.memberAt(row) !== undefined }
}

function keyIfThere(kid: string, mode: LockMode): RowClaim {
  return { row: keyRow(kid), mode, exists: (view) => view.signingKey(kid) !== undefined }
}

function requireEntry(changes: Changes, { seq }: Revocation, says: (body: EntryBody) => boolean): void {
  const entry = changes.entries.find((each) => each.seq === seq)
  if (entry === undefined || !says(entry.body)) throw new Error(`Entry ${seq} does not say what is recorded.`)
}
