import { type Clocks, type Instant, instantOf, type Timers } from '@rescind/protocol'
import type { Membership } from '../storage/storage.ts'
import type { Grantable } from './attachment.ts'
import {
  grantableMs,
  holdNodeLease,
  type NodeLeaseEffect,
  type NodeLeaseEvent,
  type NodeLeaseState,
  newNodeLease,
  nodeMayDecide,
} from './node-lease.ts'

export interface OwnRowDeps {
  readonly membership: Membership
  readonly clocks: Clocks
  readonly timers: Timers
  /** A UUID that was never used before. */
  readonly newNodeId: () => string
  readonly leaseMs: number
  /** The last entry this node has applied. */
  readonly appliedSeq: () => number
  /** Everything up to here has been applied by this node and by everyone attached to it, or they cannot decide. */
  readonly inForceSeq: () => number
  /** Whether there are other nodes, who may wait for this one. */
  readonly hasOthers: () => boolean
  /** A renewal has come back. */
  readonly onRenewed: () => void
  /** The members could not be read or written; it is tried again. */
  readonly onTrouble: (error: unknown) => void
}

/**
 * What one node says of itself among the members: that it is one, that it grants leases, what is in force for it and
 * everyone attached to it, that it leaves. From the renewals of its row the node has its own lease.
 */
export class OwnRow {
  readonly #deps: OwnRowDeps
  #lease: NodeLeaseState
  readonly #joined = Promise.withResolvers<void>()
  readonly #left = Promise.withResolvers<void>()
  #hasJoined = false
  /** The id under which this node is known to grant leases. */
  #announcedId: string | undefined
  #reportedSeq = 0
  #isReporting = false
  #cancelRenewal = (): void => {}
  #isOver = false

  constructor(deps: OwnRowDeps) {
    this.#deps = deps
    this.#lease = newNodeLease(deps.leaseMs)
  }

  get lease(): NodeLeaseState {
    return this.#lease
  }

  /** Whether it is known to whoever comes after this node that there may be grants. */
  get isAnnounced(): boolean {
    return this.#announcedId === this.#lease.nodeId
  }

  /** Resolves when the row is committed; when that fails it rejects, and nothing is tried again. */
  join(): Promise<void> {
    this.#on({ type: 'join', nodeId: this.#deps.newNodeId() })
    return this.#joined.promise
  }

  /** Whether this node may decide now. When it is missed, the lease is renewed without waiting for its time. */
  holds(): boolean {
    const holds = nodeMayDecide(this.#lease, this.#deps.appliedSeq(), this.#now())
    if (!holds) this.#on({ type: 'missed' })
    return holds
  }

  /** What this node can grant now. */
  grantable(): Grantable {
    const seq = this.#deps.appliedSeq()
    return { leftMs: grantableMs(this.#lease, seq, this.#now()), seq }
  }

  /** Before the first grant: whoever comes after this node has to know that there may be some. */
  async announceGrants(): Promise<void> {
    const { nodeId } = this.#lease
    if (this.#announcedId === nodeId) return
    await this.#deps.membership.announceGrants(nodeId)
    this.#announcedId = nodeId
  }

  /** Lets the waits of other nodes end. @param inForceSeq as it is now */
  report(inForceSeq: number): void {
    const { membership, hasOthers, onTrouble } = this.#deps
    if (!hasOthers() || this.#isReporting || inForceSeq <= this.#reportedSeq) return
    if (this.#lease.phase !== 'member' && this.#lease.phase !== 'leaving') return
    this.#isReporting = true
    membership
      .report(this.#lease.nodeId, inForceSeq)
      .finally(() => {
        this.#isReporting = false
      })
      .then(() => {
        this.#reportedSeq = inForceSeq
        this.report(this.#deps.inForceSeq())
      }, onTrouble)
  }

  /** Grants nothing more, and does not renew. Resolves when the row was removed after {@link grantsEnded}, or could not be. */
  leave(): Promise<void> {
    this.#on({ type: 'leave' })
    return this.#left.promise
  }

  /** A node that is leaving has no grants any more: it stops deciding, and its row goes. */
  grantsEnded(): void {
    this.#on({ type: 'all_gone' })
  }

  /** Renews no more. What the row says stays. */
  end(): void {
    this.#isOver = true
    this.#cancelRenewal()
  }

  /** For what this node holds. */
  #now(): Instant {
    return instantOf(this.#deps.clocks)
  }

  #on(event: NodeLeaseEvent): void {
    if (this.#isOver) return
    const now = this.#now()
    const { state, effects } = holdNodeLease(this.#lease, event, now)
    if (state === this.#lease && event.type === 'missed') return
    this.#lease = state
    this.#cancelRenewal()
    if (state.phase === 'outside' || state.phase === 'member') {
      const delayMs = Math.max(0, state.renewAtMs - now.monotonicMs)
      if (state.renewing === null)
        this.#cancelRenewal = this.#deps.timers.after(delayMs, () => this.#on({ type: 'due' }))
    }
    for (const effect of effects) this.#run(effect)
  }

  #run(effect: NodeLeaseEffect): void {
    const { membership } = this.#deps
    switch (effect.type) {
      case 'rejoin':
        this.#reportedSeq = 0
        this.#on({ type: 'join', nodeId: this.#deps.newNodeId() })
        break
      case 'join':
        this.#settle(
          membership.join({ nodeId: effect.nodeId, leaseMs: effect.leaseMs }),
          () => {
            this.#hasJoined = true
            this.#joined.resolve()
            this.#on({ type: 'joined' })
          },
          'join_failed',
        )
        break
      case 'renew':
        this.#settle(
          membership.renew(effect.nodeId, this.#deps.inForceSeq()),
          (head) => {
            const appliedSeq = this.#deps.appliedSeq()
            this.#on(head === undefined ? { type: 'not_member' } : { type: 'renewed', headSeq: head.seq, appliedSeq })
            this.#deps.onRenewed()
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
      this.#on({ type: failed })
    })
  }
}
