import type { Entry, HeldLease, Position } from '@rescind/protocol'
import type { Member, NewToken } from '../packages/server/storage/storage.ts'
import type { Changes } from './database/changes.ts'
import type { Database } from './database/database.ts'
import { memberRow } from './database/row-names.ts'
import { subjectsOf, type Tables } from './database/tables.ts'
import { View } from './database/view.ts'
import type { IssuedToken } from './issued-token.ts'
import { LostHistory } from './lost-history.ts'
import type { ObservedNode, ObservedVerifier } from './observed.ts'
import type { Scheduler } from './scheduler.ts'
import { Violation } from './violation.ts'

/** Who holds tokens. */
type Holder = Pick<Member, 'businessId' | 'userId'>

/** What the outcome of a verification is held against. */
export interface Outcome {
  readonly status: 'valid' | 'rejected' | 'undecided'
  readonly reason?: string
}

/** When a verification began: the true time, and where whoever decides stood. */
interface Began {
  readonly ms: number
  readonly position: Position | undefined
}

/**
 * Sees everything that no process can see, and checks after every step that what `docs/protocol.md` promises holds. It
 * knows what was committed and what was answered, in true time.
 */
export class Observer {
  readonly nodes = new Set<ObservedNode>()
  readonly verifiers = new Set<ObservedVerifier>()
  /** The revocations up to here are in force: one of them, or a later one, was answered. */
  inForceSeq = 0
  /** A node found the entries up to here to be in force. */
  enforcedSeq = 0
  answers = 0
  verifications = 0
  accepted = 0
  /** Where the log was replaced by an older one: what was answered after it is not known to the service any more. */
  forgottenAfterSeq: number | undefined
  /** The first thing that did not hold. */
  violation: Violation | undefined
  readonly #scheduler: Scheduler
  readonly #database: Pick<Database, 'durableSeq'>
  readonly #tables: Tables
  readonly #view: View
  readonly #lost = new LostHistory()
  /** Verdicts by what a former primary showed. */
  readonly #outdated = new WeakSet<object>()
  /** True time at which each entry came to be in force, by `seq`. */
  readonly #inForceMs: number[] = []
  readonly #usedNodeIds = new Set<string>()
  readonly #usedIdxs = new Set<number>()

  constructor(scheduler: Scheduler, database: Pick<Database, 'tables' | 'durableSeq'>) {
    this.#scheduler = scheduler
    this.#database = database
    this.#tables = database.tables
    this.#view = new View(database)
  }

  /** Where it is noticed may be deep inside a promise that production code handles, so it is kept as well as thrown. */
  violate(invariant: string, what: string): never {
    const violation = new Violation(invariant, what)
    this.violation ??= violation
    throw violation
  }

  /** As {@link violate}, where nothing is to be interrupted. */
  note(invariant: string, what: string): void {
    this.violation ??= new Violation(invariant, what)
  }

  /**
   * To be given whatever is caught where the simulation goes on regardless: what the service refuses and what does not
   * answer are expected, a mistake in the code is not.
   */
  noteFault(error: unknown): void {
    const isMistake = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
    if (isMistake && this.violation === undefined) this.violation = new Violation('fault', String(error.stack))
  }

  /** Some revocation is committed, and not answered yet. */
  get isWaiting(): boolean {
    return (this.#tables.head?.seq ?? 0) > this.inForceSeq
  }

  /** A 201 is being sent: this entry, and all before it, are in force. */
  answered(seq: number): void {
    if (seq > 0) this.answers++
    if (seq > this.#database.durableSeq) this.violate('I10', `${seq} was answered, and is not durable`)
    for (let each = this.inForceSeq + 1; each <= seq; each++) this.#inForceMs[each] = this.#scheduler.nowMs
    this.inForceSeq = Math.max(this.inForceSeq, seq)
  }

  /** How much of the log as it is now a position stands for. */
  appliedSeq(position: Position | undefined): number {
    if (position === undefined) return 0
    return this.isOfLog(position) ? position.seq : (this.#lost.baseOf(position.hash) ?? 0)
  }

  isOfLog({ seq, hash }: Position): boolean {
    return seq === 0 || this.#tables.entries[seq - 1]?.hash === hash
  }

  /** Whether a history that leads here was committed, and lost. */
  wasLost({ hash }: Position): boolean {
    return this.#lost.baseOf(hash) !== undefined
  }

  /** Of leases, those that count on more of the log than whoever stands at `position` has of it. */
  counterfeit<T extends Pick<HeldLease, 'seq'>>(leases: readonly T[], position: Position): T[] {
    if (this.isOfLog(position)) return []
    const base = this.#lost.baseOf(position.hash) ?? 0
    return leases.filter(({ seq }) => seq > base)
  }

  /** A node found this to be in force. What it says of entries that were lost says nothing of the log. */
  enforced({ position }: ObservedNode, seq: number): void {
    this.enforcedSeq = Math.max(this.enforcedSeq, Math.min(seq, this.appliedSeq(position)))
  }

  /** The verdict goes by what a former primary shows, which knows nothing of what is new. */
  excuse(verdict: object): void {
    this.#outdated.add(verdict)
  }

  /** What has ended all tokens of a member, as far as it is committed. */
  removalSeq({ businessId, userId }: Holder): number {
    return this.#tables.bulkRevocations.get(memberRow(businessId, userId))?.at(-1)?.revocation.seq ?? 0
  }

  /** The last token of a member that was ended because of its role. */
  demotionSeq({ businessId, userId }: Holder): number {
    let seq = 0
    for (const { token, revocation } of this.#tables.tokens.values()) {
      const isTheirs = token.businessId === businessId && token.userId === userId
      if (isTheirs && revocation?.reason?.startsWith('The role')) seq = Math.max(seq, revocation.seq)
    }
    return seq
  }

  /** Whoever starts later knows that this node may have granted leases. */
  knowsGrantsOf(nodeId: string): boolean {
    return this.#tables.grantingNodeIds.has(nodeId)
  }

  /** The 201 of this token: it is revoked, and that is durable. */
  answeredToken(idx: number): void {
    if (this.#view.revocation(idx) === null && this.forgottenAfterSeq === undefined) {
      this.violate('I10', 'a revocation was answered that is not in the log')
    }
  }

  /** The state of the installation before anything happens is in force. */
  startFrom(seq: number): void {
    this.enforcedSeq = seq
    this.answered(seq)
    this.answers = 0
  }

  /** An entry was committed, and is not in the log. */
  lost(entry: Entry): void {
    this.#lost.add(entry, this.#tables.entries[entry.seq - 2]?.hash)
  }

  /** The log lost what came after `seq`, and what was answered of it with it. */
  forgetAfter(seq: number): void {
    this.#lost.shortened(seq)
    this.forgottenAfterSeq = Math.min(seq, this.forgottenAfterSeq ?? seq)
    this.inForceSeq = Math.min(this.inForceSeq, seq)
    this.enforcedSeq = Math.min(this.enforcedSeq, seq)
    this.#inForceMs.length = Math.min(this.#inForceMs.length, seq + 1)
  }

  /** To be called when changes have become visible. */
  committed(changes: Changes): void {
    for (const token of changes.tokens) this.#checkIssued(token)
    for (const { subject, beforeIdx } of changes.bulkRevocations) this.#checkBulk(subject, beforeIdx)
  }

  joining(nodeId: string): void {
    if (this.#usedNodeIds.has(nodeId)) this.violate('I16', 'a node joined under the id of another')
    this.#usedNodeIds.add(nodeId)
  }

  /**
   * The verdict on a token is out.
   *
   * @param by who decided
   * @param appliedSeq what that one had applied when it answered
   */
  verified(token: IssuedToken, outcome: Outcome, began: Began, by: string, appliedSeq: number): void {
    this.verifications++
    if (outcome.status === 'valid') this.accepted++
    const { idx } = token.record
    const revocation = this.#view.revocation(idx)
    if (outcome.status === 'valid' && revocation !== null) {
      if (appliedSeq >= revocation.seq) this.violate('I7', `${by} accepted a token revoked by what it had applied`)
      const inForceMs = this.#inForceMs[revocation.seq]
      if (inForceMs !== undefined && inForceMs < began.ms) {
        this.violate('G1', `${by} accepted a token ${began.ms - inForceMs} ms after its revocation was answered`)
      }
    }
    const isLost = this.#tables.tokens.get(idx)?.token.id !== token.record.id
    const beganSeq = this.appliedSeq(began.position)
    const knowsEpoch = this.forgottenAfterSeq === undefined || beganSeq > this.forgottenAfterSeq
    if (outcome.status === 'valid' && isLost && knowsEpoch) {
      this.violate('G2', `${by} accepted a token that the log does not know of, and nobody can revoke`)
    }
    // Who has not applied the entry that opened the epoch of the token takes it for a stranger's.
    const isNew = outcome.reason === 'wrong_issuer' && !knowsEpoch
    const isExcused = this.#outdated.has(outcome) || this.#lost.covers(token.record) || isLost || isNew
    if (outcome.status === 'rejected' && revocation === null && !isExcused) {
      this.violate('G4', `${by} rejected a valid token: ${outcome.reason}`)
    }
  }

  /** A node has heard that something was applied. */
  acknowledged(node: ObservedNode): void {
    for (const verifier of this.verifiers) {
      for (const session of verifier.sessions) if (session.node === node) session.checkAcknowledged()
    }
  }

  /** A node says that this is in force for it and for everybody who has a lease from it. */
  reported(node: ObservedNode, seq: number): void {
    // Of another history, for which no database takes it that has this one.
    if (!node.isOfLog) return
    for (const verifier of this.verifiers) {
      if (verifier.appliedSeq >= seq || !verifier.holds()) continue
      if (verifier.decidingLeases().some(({ session }) => session?.node === node)) {
        this.violate(
          'I6',
          `a node reports ${seq}, and a verifier with a lease from it has applied ${verifier.appliedSeq}`,
        )
      }
    }
  }

  /** After every step. */
  check(): void {
    for (const verifier of this.verifiers) this.#checkVerifier(verifier)
    for (const node of this.nodes) {
      if (!node.holds()) continue
      if (!this.#tables.nodes.has(node.nodeId)) this.violate('I5', `${node.process.id} may decide, and is no member`)
      const { position } = node
      if (this.appliedSeq(position) < this.inForceSeq) {
        this.violate('I1', `${node.process.id} may decide without ${this.inForceSeq}, which is in force`)
      }
      if (position !== undefined && this.counterfeit(node.decidingLeases(), position).length > 0) {
        this.violate('I7', `${node.process.id} decides at ${position.seq} of a history that was lost`)
      }
    }
    for (const node of this.nodes) node.checkDelay(this.#tables.head?.seq ?? 0)
  }

  #checkVerifier(verifier: ObservedVerifier): void {
    const holds = verifier.holds()
    verifier.checkHistory(holds)
    if (!holds) return
    if (verifier.appliedSeq < this.inForceSeq) {
      this.violate('I1', `${verifier.process.id} may decide without ${this.inForceSeq}, which is in force`)
    }
    if (!verifier.decidingLeases().some(({ session }) => session?.isCounted(this.#tables))) {
      this.violate('I3', `${verifier.process.id} may decide, and nobody counts on it`)
    }
  }

  #checkIssued(token: NewToken): void {
    // Somebody may know of its revocation, or of a cut-off above it.
    if (this.#usedIdxs.has(token.idx)) this.violate('G4', 'a token has the index of one that was lost')
    this.#usedIdxs.add(token.idx)
    const { issuedBy, businessId, userId, kid } = token
    const issuer = issuedBy === null ? undefined : this.#view.tokenByIdOrJti(issuedBy)
    if (issuer?.revocation) this.violate('I13', 'a token was issued by one whose revocation is committed')
    if (businessId !== null && !this.#tables.members.has(memberRow(businessId, userId))) {
      this.violate('I12', 'a token was issued to somebody who is no member any more')
    }
    if (this.#view.signingKey(kid)?.retiredAtMs !== null) this.violate('I12', 'a retired key signs a token')
    for (const subject of subjectsOf(token)) {
      const covering = this.#tables.bulkRevocations.get(subject)?.find(({ beforeIdx }) => token.idx < beforeIdx)
      if (covering !== undefined) this.violate('I12', 'a token was issued under a bulk entry that covers it')
    }
    const added = this.#tables.entries.find(({ body }) => body.kind === 'key_added' && body.jwk.kid === kid)
    if (this.forgottenAfterSeq === undefined && (added === undefined || added.seq > this.enforcedSeq)) {
      this.violate('I15', 'a key signs before everybody who decides knows it')
    }
  }

  #checkBulk(subject: string, beforeIdx: number): void {
    const tokens = [...this.#tables.tokens.values()]
    const late = tokens.find((row) => row.subjects.includes(subject) && row.token.idx >= beforeIdx)
    if (late !== undefined) this.violate('I12', 'a bulk entry leaves out a token that was committed before it')
  }
}
