import type { Tables } from './database/tables.ts'
import type { ObservedNode, ObservedSession, ObservedVerifier, Violate } from './observed.ts'

/** One connection, as the node knows it. */
export class Session implements ObservedSession {
  readonly verifier: ObservedVerifier
  readonly node: ObservedNode
  readonly verifierId: string

  readonly #violate: Violate

  constructor(verifier: ObservedVerifier, node: ObservedNode, verifierId: string, violate: Violate) {
    this.#violate = violate
    this.verifier = verifier
    this.node = node
    this.verifierId = verifierId
  }

  /** What the node believes to be applied is. */
  checkAcknowledged(): void {
    const believed = this.node.deciding?.node.attachments.get(this.verifierId)?.appliedSeq ?? 0
    if (believed > this.verifier.appliedSeq && !this.#isExcused(believed)) {
      this.#violate(
        'I2',
        `a node believes ${believed} applied by a verifier that has applied ${this.verifier.appliedSeq}`,
      )
    }
  }

  /**
   * It was applied once, and the verifier was led to another history, or back, since: nobody counts on it whom this node lets
   * decide, or the node ends before it applies another.
   */
  #isExcused(believed: number): boolean {
    const { node, verifier } = this
    if (!node.isOfLog) return true
    if (verifier.furthestSeq < believed) return false
    if (node.appliedSeq < believed) return true
    return !verifier.decidingLeases().some(({ session }) => session?.node === node)
  }

  /** Whoever waits waits for this: its node counts a lease that has not ended, or cannot and its row still stands. */
  isCounted(tables: Tables): boolean {
    const { process, deciding, nodeId } = this.node
    if (!process.running) return tables.nodes.has(tables.lostNodeIds.has(nodeId) ? (tables.standInId ?? '') : nodeId)
    const nowMs = process.clock.monotonicMs()
    return deciding?.node.attachments.get(this.verifierId)?.grants.some(({ endsMs }) => endsMs > nowMs) ?? false
  }
}
