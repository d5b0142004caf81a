import { type InForce, Unavailable } from '@rescind/protocol'
import type { Attachment } from './attachment.ts'
import { Attachments } from './attachments.ts'
import type { Enforcement } from './enforcement.ts'
import type { NodeLeaseState } from './node-lease.ts'
import { OwnRow, type OwnRowDeps } from './own-row.ts'
import type { View } from './waiter.ts'
import { Waits } from './waits.ts'

type NodeDeps = Omit<OwnRowDeps, 'inForceSeq' | 'hasOthers' | 'onRenewed'>

/** A grant that is to be sent as it is. */
export interface Grant {
  readonly nonce: number
  readonly leaseMs: number
  readonly seq: number
}

/**
 * One node among those of the installation: holds its lease, grants leases to the verifiers attached to it, and waits
 * for revocations to be in force. It brings these three together and decides nothing itself: that is for the state
 * machines of this folder.
 */
export class Node implements Enforcement {
  readonly #deps: NodeDeps
  readonly #row: OwnRow
  readonly #attachments: Attachments
  readonly #waits: Waits
  #hasEnded = false
  #cancelLook = (): void => {}

  constructor(deps: NodeDeps) {
    const { membership, timers, onTrouble } = deps
    const nowMs = () => this.#nowMs()
    this.#deps = deps
    this.#attachments = new Attachments(nowMs)
    this.#waits = new Waits({
      membership,
      timers,
      nowMs,
      view: () => this.#view(),
      onRead: () => this.#look(),
      onTrouble,
    })
    this.#row = new OwnRow({
      ...deps,
      inForceSeq: () => this.#inForceSeq(),
      hasOthers: () => this.#waits.knowsOthers,
      onRenewed: () => {
        this.#look()
        this.#waits.readMembers()
      },
    })
  }

  /** The id of this process among the members. */
  get nodeId(): string {
    return this.#row.lease.nodeId
  }

  /** The length of the leases of this node. */
  get leaseMs(): number {
    return this.#deps.leaseMs
  }

  /** Its own lease, for metrics. */
  get lease(): NodeLeaseState {
    return this.#row.lease
  }

  /** The verifiers attached to this node, by id, those included whose connection is gone. */
  get attachments(): ReadonlyMap<string, Attachment> {
    return this.#attachments.byId
  }

  /** How long until no lease granted by this node can hold any more; zero when none can now. */
  get longestGrantMs(): number {
    return Math.max(0, this.#attachments.lastGrantEndMs - this.#nowMs())
  }

  /** Resolves when this node is a member; when that fails it rejects, and the node is of no more use. Only then may the log be read: whoever commits an entry later waits for this node. */
  join(): Promise<void> {
    const joined = this.#row.join()
    joined.catch(() => this.#waits.end())
    return joined
  }

  /** Whether this node may decide now. When it is missed, the lease is renewed without waiting for its time. */
  holds(): boolean {
    return this.#row.holds()
  }

  /** To be called after this node has applied entries. */
  applied(): void {
    this.#lookAtAll()
  }

  /**
   * Resolves when the verifier may be granted leases, rejects with {@link Unavailable} when it is not known that it may, or
   * there are too many.
   *
   * @param formerly what it was called on connections before, to whichever node: what it applies counts for those too
   */
  attach(verifierId: string, formerly: readonly string[] = []): Promise<void> {
    if (this.#attachments.isFull) return Promise.reject(new Unavailable('may_not_decide'))
    this.#attachments.add(verifierId, formerly)
    return this.#row.announceGrants()
  }

  /** @returns the grant to send, if there is one */
  renew(verifierId: string, nonce: number): Grant | undefined {
    if (!this.#row.isAnnounced) {
      // The node has joined anew since.
      this.#row.announceGrants().catch(this.#deps.onTrouble)
      return undefined
    }
    return this.#attachments.tell(verifierId, { type: 'renew', nonce, grantable: this.#row.grantable() })[0]
  }

  /** What the verifier has applied. */
  acknowledged(verifierId: string, seq: number): void {
    if (this.#attachments.acknowledged(verifierId, seq)) this.#look()
  }

  /** The verifier has stopped deciding. */
  detached(verifierId: string): void {
    this.#attachments.tell(verifierId, { type: 'goodbye' })
    this.#look()
  }

  /** The connection is gone. The verifier may go on deciding. */
  disconnected(verifierId: string): void {
    this.#attachments.tell(verifierId, { type: 'disconnected' })
  }

  inForce(seq: number): Promise<InForce> {
    return this.#waits.begin(seq)
  }

  /**
   * Stops granting, waits until every lease it granted has ended, stops deciding, and leaves. After `deadline` it stays
   * a member, and whoever waits for it waits a lease.
   */
  async leave(deadline: AbortSignal): Promise<void> {
    const left = this.#row.leave()
    this.#look()
    await Promise.race([left, aborted(deadline)])
    this.#hasEnded = true
    this.#row.end()
    this.#cancelLook()
    this.#waits.end()
  }

  /** For what this node grants and waits for: whatever becomes of its wall clock. */
  #nowMs(): number {
    return this.#deps.clocks.monotonicMs()
  }

  #view(): View {
    const attachments = [...this.#attachments.byId.values()]
    return { nodeId: this.nodeId, appliedSeq: this.#deps.appliedSeq(), attachments }
  }

  /** Everything up to here has been applied by this node and by everyone attached to it, or they cannot decide. */
  #inForceSeq(): number {
    return Math.min(this.#deps.appliedSeq(), this.#attachments.coveredSeq())
  }

  #lookAtAll(): void {
    this.#waits.look()
    this.#look()
  }

  /** Settles the waits that are over, and wakes up for the next. */
  #look(): void {
    if (this.#hasEnded) return
    const inForceSeq = this.#inForceSeq()
    this.#waits.look(inForceSeq)
    this.#row.report(inForceSeq)
    this.#forgetEnded()
    this.#wakeForNext()
  }

  #forgetEnded(): void {
    const ended = this.#attachments.over()
    // Each wait counts whom it waited for in vain.
    if (ended.length > 0) this.#waits.look()
    this.#attachments.forget(ended)
    if (this.lease.phase === 'leaving' && this.longestGrantMs === 0) this.#row.grantsEnded()
  }

  #wakeForNext(): void {
    this.#cancelLook()
    const grantsEndMs = this.lease.phase === 'leaving' ? this.#attachments.lastGrantEndMs : Number.POSITIVE_INFINITY
    const nextMs = Math.min(grantsEndMs, this.#waits.wakeMs)
    if (!Number.isFinite(nextMs)) return
    this.#cancelLook = this.#deps.timers.after(Math.max(0, nextMs - this.#nowMs()), () => this.#lookAtAll())
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
