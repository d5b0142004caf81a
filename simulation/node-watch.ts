import {
  decodeServiceMessage,
  type Entry,
  type FeedSocket,
  type FeedSocketListener,
  type InForce,
  type Position,
  permittedMs,
} from '@rescind/protocol'
import type { Node } from '../packages/server/revocations/node.ts'
import type { Membership } from '../packages/server/storage/storage.ts'
import type { ObservedNode } from './observed.ts'
import type { Observer } from './observer.ts'

interface NodeWatchDeps {
  readonly node: ObservedNode
  readonly observer: Observer
  readonly leaseMs: number
  /** Of any node there is or was. */
  readonly longestLeaseMs: number
}

/** Reading the members, and looking at them again. */
const WAIT_SLACK_MS = 400
/** A poll of the log, and reading it. */
const MOST_DELAY_MS = 250 + 150

/** Stands between a node and everyone it speaks to, and holds what it says, and how long it waits, against the invariants. */
export class NodeWatch {
  readonly #deps: NodeWatchDeps
  /** Until then something may keep the node from its work, on its monotonic clock. */
  #troubledUntilMs = 0
  /** An entry that the node had not applied, and since when. */
  #behind: { readonly headSeq: number; readonly sinceMs: number } | undefined

  constructor(deps: NodeWatchDeps) {
    this.#deps = deps
  }

  /** Something keeps the node from its work, at most for so long. */
  trouble(forMs: number): void {
    const { clock } = this.#deps.node.process
    this.#troubledUntilMs = Math.max(this.#troubledUntilMs, clock.monotonicMs() + forMs)
  }

  /** Looks at everything the node says of itself. */
  membership(membership: Membership): Membership {
    const { node, observer, leaseMs } = this.#deps
    return {
      join: (row) => {
        observer.joining(row.nodeId)
        if (row.leaseMs < leaseMs) observer.violate('I5', 'the row of a node is for shorter leases than it grants')
        return membership.join(row)
      },
      announceGrants: (nodeId) => membership.announceGrants(nodeId),
      renew: (nodeId, seq) => {
        observer.reported(node, seq)
        return membership.renew(nodeId, seq)
      },
      report: (nodeId, seq) => {
        observer.reported(node, seq)
        return membership.report(nodeId, seq)
      },
      members: () => membership.members(),
      onReport: (hint) => membership.onReport(hint),
      leave: (nodeId) => membership.leave(nodeId),
      remove: (nodeId, renewals) => membership.remove(nodeId, renewals),
    }
  }

  /** Looks at what the node is given of the log: everything, in order. */
  follower(after: Position, deliver: (entries: readonly Entry[]) => void): (entries: readonly Entry[]) => void {
    const { node, observer } = this.#deps
    let last = after.seq
    return (entries) => {
      for (const { seq } of entries) {
        if (seq !== last + 1) observer.violate('I7', `${node.process.id} is given ${seq} of the log after ${last}`)
        last = seq
      }
      deliver(entries)
    }
  }

  /** Looks at every grant as it is sent. */
  socket(socket: FeedSocket): FeedSocket {
    return {
      send: (message) => {
        if (typeof message === 'string' && message.startsWith('{"type":"grant"')) this.#checkGrant(message)
        socket.send(message)
      },
      get bufferedBytes() {
        return socket.bufferedBytes
      },
      close: (code) => socket.close(code),
      destroy: () => socket.destroy(),
    }
  }

  /** Looks at what the node believes, of former connections too, after every acknowledgement and every renewal. */
  listener(listener: FeedSocketListener): FeedSocketListener {
    const { node, observer } = this.#deps
    return {
      received: (message) => {
        listener.received(message)
        if (typeof message === 'string' && /^{"type":"(applied|renew)"/.test(message)) observer.acknowledged(node)
      },
      closed: (code) => listener.closed(code),
    }
  }

  /** Waits as `node` does, and looks at how long that takes. */
  async inForce(node: Node, seq: number): Promise<InForce> {
    const { observer } = this.#deps
    const cancel = this.#watchWait(seq)
    try {
      const outcome = await node.inForce(seq)
      observer.enforced(this.#deps.node, seq)
      return outcome
    } finally {
      cancel()
    }
  }

  /** The node has applied the log up to `headSeq`, or did not have the time. */
  checkDelay(headSeq: number): void {
    const { node, observer } = this.#deps
    const { clock } = node.process
    if (this.#behind !== undefined && node.appliedSeq >= this.#behind.headSeq) this.#behind = undefined
    if (node.appliedSeq >= headSeq) return
    this.#behind ??= { headSeq, sinceMs: clock.monotonicMs() }
    const behindMs = clock.monotonicMs() - Math.max(this.#behind.sinceMs, this.#troubledUntilMs)
    if (behindMs > MOST_DELAY_MS) observer.violate('I17', `${node.process.id} has not applied ${this.#behind.headSeq}`)
  }

  #checkGrant(text: string): void {
    const { node, observer } = this.#deps
    const { clock } = node.process
    const grant = decodeServiceMessage(text)
    if (grant?.type !== 'grant' || node.deciding === undefined) return
    const now = { monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() }
    const leftMs = permittedMs(node.deciding.node.lease.leases, node.appliedSeq, now)
    if (grant.leaseMs > leftMs + 1)
      observer.violate('I4', `a grant of ${grant.leaseMs} ms by a node that has ${leftMs} ms`)
    if (!observer.knowsGrantsOf(node.nodeId)) observer.violate('I5', 'a node grants that nobody knows to')
    if (grant.seq !== node.appliedSeq)
      observer.violate('I4', `a grant names ${grant.seq}, its node has applied ${node.appliedSeq}`)
  }

  /** Whatever becomes of the verifiers, a wait is over one lease after the node was last kept from its work. */
  #watchWait(seq: number): () => void {
    const { node, observer, longestLeaseMs } = this.#deps
    const { clock, timers } = node.process
    const startedMs = clock.monotonicMs()
    let cancel = () => {}
    const watch = () => {
      const endsMs = Math.max(startedMs, this.#troubledUntilMs) + longestLeaseMs + WAIT_SLACK_MS
      const leftMs = endsMs - clock.monotonicMs()
      if (leftMs > 0) cancel = timers.after(leftMs, watch)
      else observer.violate('I11', `${seq} is not in force ${clock.monotonicMs() - startedMs} ms after its commit`)
    }
    watch()
    return () => cancel()
  }
}
