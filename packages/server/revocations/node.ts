import { type Clocks, type InForce, type Instant, instantOf, type Timers, Unavailable } from '@rescind/protocol'
import type { Membership } from '../storage/storage.ts'
import { type Attachment, type AttachmentEvent, attach, coveredSeq, isOver, newAttachment } from './attachment.ts'
import type { Enforcement } from './enforcement.ts'
import {
  grantableMs,
  holdNodeLease,
  type NodeLeaseEffect,
  type NodeLeaseEvent,
  type NodeLeaseState,
  newNodeLease,
  nodeMayDecide,
} from './node-lease.ts'
import { type Sightings, sight } from './other-nodes.ts'
import { beginWait, type Wait, type WaitEvent, wait } from './waiter.ts'

export interface NodeDeps {
  readonly membership: Membership
  readonly clocks: Clocks
  readonly timers: Timers
  /** A UUID that was never used before. */
  readonly newNodeId: () => string
  readonly leaseMs: number
  /** The last entry this node has applied. */
  readonly appliedSeq: () => number
  /** The members could not be read or written; it is tried again. */
  readonly onTrouble: (error: unknown) => void
}

/** A grant that is to be sent as it is. */
export interface Grant {
  readonly nonce: number
  readonly leaseMs: number
  readonly seq: number
}

interface PendingWait {
  wait: Wait
  /** When to look at it again, unless something changes before. */
  wakeMs: number
  readonly resolve: (outcome: InForce) => void
  readonly reject: (error: unknown) => void
}

/** More than these are not kept count of, whoever asks. */
const MAX_ATTACHMENTS = 10_000

/** How often the members are read while another node is waited for. */
const POLL_MS = 100

/**
 * One node among those of the installation: holds its lease, grants leases to the verifiers attached to it, and waits
 * for revocations to be in force. It drives the state machines of this folder and decides nothing itself.
 */
export class Node implements Enforcement {
  readonly #deps: NodeDeps
  #lease: NodeLeaseState
  readonly #attachments = new Map<string, Attachment>()
  #sightings: Sightings = new Map()
  readonly #waits = new Set<PendingWait>()
  /** Those for which the members have to be read, or read again. */
  #unread = new Set<PendingWait>()
  #readingMembers = false
  #reporting = false
  #reportedSeq = 0
  /** The least that an attachment covers, and how many cover no more, when that was last looked at. */
  #lowest = { seq: 0, count: 0 }
  #cancelRenewal = (): void => {}
  #cancelLook = (): void => {}
  #cancelPoll = (): void => {}
  readonly #joined = Promise.withResolvers<void>()
  readonly #left = Promise.withResolvers<void>()
  /** The id under which this node is known to grant leases. */
  #announcedId: string | undefined
  #hasJoined = false
  #isOver = false

  constructor(deps: NodeDeps) {
    this.#deps = deps
    this.#lease = newNodeLease(deps.leaseMs)
  }

  /** The id of this process among the members. */
  get nodeId(): string {
    return this.#lease.nodeId
  }

  /** Resolves when this node is a member; when that fails it rejects, and the node is of no more use. Only then may the log be read: whoever commits an entry later waits for this node. */
  join(): Promise<void> {
    this.#onLease({ type: 'join', nodeId: this.#deps.newNodeId() })
    return this.#joined.promise
  }

  /** Whether this node may decide now. When it is missed, the lease is renewed without waiting for its time. */
  holds(): boolean {
    const holds = nodeMayDecide(this.#lease, this.#deps.appliedSeq(), this.#now())
    if (!holds) this.#onLease({ type: 'missed' })
    return holds
  }

  /** The length of the leases of this node. */
  get leaseMs(): number {
    return this.#deps.leaseMs
  }

  /** Its own lease, for metrics. */
  get lease(): NodeLeaseState {
    return this.#lease
  }

  /** The verifiers attached to this node, by id, those included whose connection is gone. */
  get attachments(): ReadonlyMap<string, Attachment> {
    return this.#attachments
  }

  /** How long until no lease granted by this node can hold any more; zero when none can now. */
  get longestGrantMs(): number {
    return Math.max(0, this.#lastGrantEndMs() - this.#nowMs())
  }

  /** To be called after this node has applied entries. */
  applied(): void {
    this.#lookAtAll()
  }

  /** Resolves when the verifier may be granted leases, rejects with {@link Unavailable} when it is not known that it may, or there are too many. */
  attach(verifierId: string): Promise<void> {
    if (this.#attachments.size >= MAX_ATTACHMENTS) return Promise.reject(new Unavailable('may_not_decide'))
    this.#attachments.set(verifierId, newAttachment(verifierId))
    return this.#announceGrants()
  }

  /** @returns the grant to send, if there is one */
  renew(verifierId: string, nonce: number): Grant | undefined {
    if (this.#announcedId !== this.#lease.nodeId) {
      // The node has joined anew since.
      this.#announceGrants().catch(this.#deps.onTrouble)
      return undefined
    }
    const seq = this.#deps.appliedSeq()
    const grantable = { leftMs: grantableMs(this.#lease, seq, this.#now()), seq }
    return this.#onAttachment(verifierId, { type: 'renew', nonce, grantable })[0]
  }

  /** What the verifier has applied. */
  acknowledged(verifierId: string, seq: number): void {
    const before = this.#coveredSeq(verifierId)
    this.#onAttachment(verifierId, { type: 'applied', seq })
    if (before > this.#lowest.seq) return
    // While others are no further than this one was, nothing has changed for whoever waits.
    if (this.#coveredSeq(verifierId) > before) this.#lowest.count -= 1
    if (this.#lowest.count <= 0) this.#look()
  }

  /** The verifier has stopped deciding. */
  detached(verifierId: string): void {
    this.#onAttachment(verifierId, { type: 'goodbye' })
    this.#look()
  }

  /** The connection is gone. The verifier may go on deciding. */
  disconnected(verifierId: string): void {
    this.#onAttachment(verifierId, { type: 'disconnected' })
  }

  inForce(seq: number): Promise<InForce> {
    if (this.#isOver) return Promise.reject(new Unavailable('draining'))
    return new Promise((resolve, reject) => {
      const wakeMs = Number.POSITIVE_INFINITY
      const pending = { wait: beginWait(seq, this.#nowMs()), wakeMs, resolve, reject }
      this.#waits.add(pending)
      this.#unread.add(pending)
      this.#readMembers()
    })
  }

  /**
   * Stops granting, waits until every lease it granted has ended, stops deciding, and leaves. After `deadline` it stays
   * a member, and whoever waits for it waits a lease.
   */
  async leave(deadline: AbortSignal): Promise<void> {
    this.#onLease({ type: 'leave' })
    this.#look()
    await Promise.race([this.#left.promise, aborted(deadline)])
    this.#isOver = true
    this.#cancelRenewal()
    this.#cancelLook()
    this.#cancelPoll()
    for (const pending of this.#waits) pending.reject(new Unavailable('draining'))
    this.#waits.clear()
  }

  /** Before the first grant: whoever comes after this node has to know that there may be some. */
  async #announceGrants(): Promise<void> {
    const { nodeId } = this.#lease
    if (this.#announcedId === nodeId) return
    await this.#deps.membership.announceGrants(nodeId)
    this.#announcedId = nodeId
  }

  /** For what this node grants and waits for: whatever becomes of its wall clock. */
  #nowMs(): number {
    return this.#deps.clocks.monotonicMs()
  }

  /** For what this node holds. */
  #now(): Instant {
    return instantOf(this.#deps.clocks)
  }

  #onLease(event: NodeLeaseEvent): void {
    if (this.#isOver) return
    const now = this.#now()
    const { state, effects } = holdNodeLease(this.#lease, event, now)
    if (state === this.#lease && event.type === 'missed') return
    this.#lease = state
    this.#cancelRenewal()
    if (state.phase === 'outside' || state.phase === 'member') {
      const delayMs = Math.max(0, state.renewAtMs - now.monotonicMs)
      if (state.renewing === null)
        this.#cancelRenewal = this.#deps.timers.after(delayMs, () => this.#onLease({ type: 'due' }))
    }
    for (const effect of effects) this.#run(effect)
  }

  #run(effect: NodeLeaseEffect): void {
    const { membership } = this.#deps
    switch (effect.type) {
      case 'rejoin':
        this.#reportedSeq = 0
        this.#onLease({ type: 'join', nodeId: this.#deps.newNodeId() })
        break
      case 'join':
        this.#settle(
          membership.join({ nodeId: effect.nodeId, leaseMs: effect.leaseMs }),
          () => {
            this.#hasJoined = true
            this.#joined.resolve()
            this.#onLease({ type: 'joined' })
          },
          'join_failed',
        )
        break
      case 'renew':
        this.#settle(
          membership.renew(effect.nodeId, this.#inForceSeq()),
          (head) => {
            const appliedSeq = this.#deps.appliedSeq()
            this.#onLease(
              head === undefined ? { type: 'not_member' } : { type: 'renewed', headSeq: head.seq, appliedSeq },
            )
            this.#look()
            this.#readMembers()
          },
          'renewal_failed',
        )
        break
      case 'leave':
        membership
          .leave(effect.nodeId)
          .catch(this.#deps.onTrouble)
          .then(() => this.#left.resolve())
        break
    }
  }

  #settle<T>(operation: Promise<T>, then: (value: T) => void, failed: 'join_failed' | 'renewal_failed'): void {
    operation.then(then, (error: unknown) => {
      this.#deps.onTrouble(error)
      if (!this.#hasJoined) this.#isOver = true
      this.#joined.reject(error)
      this.#onLease({ type: failed })
    })
  }

  #onAttachment(verifierId: string, event: AttachmentEvent): readonly Grant[] {
    const known = this.#attachments.get(verifierId)
    if (known === undefined) return []
    const { attachment, effects } = attach(known, event, this.#nowMs())
    this.#attachments.set(verifierId, attachment)
    return effects
  }

  #coveredSeq(verifierId: string): number {
    const attachment = this.#attachments.get(verifierId)
    return attachment === undefined ? Number.POSITIVE_INFINITY : coveredSeq(attachment, this.#nowMs())
  }

  /** Everything up to here has been applied by this node and by everyone attached to it, or they cannot decide. */
  #inForceSeq(): number {
    const nowMs = this.#nowMs()
    const lowest = { seq: Number.POSITIVE_INFINITY, count: 0 }
    for (const attachment of this.#attachments.values()) {
      const seq = coveredSeq(attachment, nowMs)
      if (seq < lowest.seq) {
        lowest.seq = seq
        lowest.count = 1
      } else if (seq === lowest.seq) lowest.count += 1
    }
    this.#lowest = lowest
    return Math.min(this.#deps.appliedSeq(), lowest.seq)
  }

  /** Settles the waits that are over, and wakes up for the next. */
  #look(): void {
    const inForceSeq = this.#inForceSeq()
    for (const pending of this.#waits) if (pending.wait.seq <= inForceSeq) this.#onWait(pending, { type: 'look' })
    this.#report(inForceSeq)
    this.#forgetEnded()
    this.#wakeForNext()
  }

  #onWait(pending: PendingWait, event: WaitEvent): void {
    const view = {
      nodeId: this.#lease.nodeId,
      appliedSeq: this.#deps.appliedSeq(),
      attachments: [...this.#attachments.values()],
    }
    const { wait: next, effects } = wait(pending.wait, event, view, this.#nowMs())
    pending.wait = next
    pending.wakeMs = Number.POSITIVE_INFINITY
    for (const effect of effects) {
      if (effect.type === 'wake') pending.wakeMs = effect.atMs
      else {
        this.#waits.delete(pending)
        pending.resolve(effect.outcome)
      }
    }
  }

  #wakeForNext(): void {
    this.#cancelLook()
    let nextMs = this.#lease.phase === 'leaving' ? this.#lastGrantEndMs() : Number.POSITIVE_INFINITY
    for (const { wakeMs } of this.#waits) nextMs = Math.min(nextMs, wakeMs)
    if (!Number.isFinite(nextMs)) return
    this.#cancelLook = this.#deps.timers.after(Math.max(0, nextMs - this.#nowMs()), () => this.#lookAtAll())
  }

  #lastGrantEndMs(): number {
    let lastMs = Number.NEGATIVE_INFINITY
    for (const { grants } of this.#attachments.values()) {
      for (const { endsMs } of grants) lastMs = Math.max(lastMs, endsMs)
    }
    return lastMs
  }

  #lookAtAll(): void {
    for (const pending of this.#waits) this.#onWait(pending, { type: 'look' })
    this.#look()
  }

  #forgetEnded(): void {
    const nowMs = this.#nowMs()
    const ended = [...this.#attachments.values()].filter((attachment) => isOver(attachment, nowMs))
    // Each wait counts whom it waited for in vain.
    if (ended.length > 0) for (const pending of this.#waits) this.#onWait(pending, { type: 'look' })
    for (const { verifierId } of ended) this.#attachments.delete(verifierId)
    if (this.#lease.phase === 'leaving' && this.longestGrantMs === 0) this.#onLease({ type: 'all_gone' })
  }

  /** One reading serves all waits that began before it was sent: each needs one that was made after its commit. */
  #readMembers(): void {
    if (this.#readingMembers || this.#isOver) return
    this.#readingMembers = true
    const served = this.#unread
    this.#unread = new Set()
    const askedMs = this.#nowMs()
    this.#deps.membership.members().then(
      (members) => {
        this.#readingMembers = false
        if (this.#isOver) return
        const nowMs = this.#nowMs()
        const { sightings, ended } = sight(this.#sightings, members, this.#lease.nodeId, { askedMs, readMs: nowMs })
        this.#sightings = sightings
        for (const pending of served) if (this.#waits.has(pending)) this.#onWait(pending, { type: 'members', members })
        this.#look()
        this.#removeEnded(ended.map(({ nodeId, renewals }) => ({ nodeId, renewals })))
        if (this.#unread.size > 0) this.#readMembers()
        else this.#pollWhileAwaited()
      },
      (error: unknown) => {
        this.#readingMembers = false
        this.#deps.onTrouble(error)
        for (const pending of served) {
          // Who is to be waited for is known to the others, and time alone ends that.
          if (pending.wait.others !== null || !this.#waits.delete(pending)) continue
          pending.reject(error)
        }
        if (this.#unread.size > 0) this.#readMembers()
        else this.#pollWhileAwaited()
      },
    )
  }

  #removeEnded(ended: readonly { nodeId: string; renewals: number }[]): void {
    for (const { nodeId, renewals } of ended) {
      this.#deps.membership.remove(nodeId, renewals).catch(this.#deps.onTrouble)
    }
  }

  #pollWhileAwaited(): void {
    this.#cancelPoll()
    const awaiting = [...this.#waits].filter(({ wait: { others } }) => others !== null && others.length > 0)
    if (awaiting.length === 0) return
    this.#cancelPoll = this.#deps.timers.after(POLL_MS, () => {
      for (const pending of awaiting) if (this.#waits.has(pending)) this.#unread.add(pending)
      this.#readMembers()
    })
  }

  /** Lets the waits of other nodes end. */
  #report(inForceSeq: number): void {
    if (this.#sightings.size === 0 || this.#reporting || inForceSeq <= this.#reportedSeq) return
    if (this.#lease.phase !== 'member' && this.#lease.phase !== 'leaving') return
    this.#reporting = true
    this.#deps.membership
      .report(this.#lease.nodeId, inForceSeq)
      .finally(() => {
        this.#reporting = false
      })
      .then(() => {
        this.#reportedSeq = inForceSeq
        this.#report(this.#inForceSeq())
      }, this.#deps.onTrouble)
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
