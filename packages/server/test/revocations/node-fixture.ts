import type { InForce } from '@rescind/protocol'
import { ManualTime } from '../../../protocol/test/manual-time.ts'
import { Node } from '../../revocations/node.ts'
import { FakeMembership } from './fake-membership.ts'

export const LEASE_MS = 30_000
export const USABLE_MS = LEASE_MS * 0.8
export const RENEWAL_MS = LEASE_MS / 8

/** `undefined` until there is one. */
interface Waiting {
  outcome(): InForce | undefined
  error(): unknown
}

/** A node among rows, and on a clock, that the test moves. */
export class NodeFixture {
  readonly membership = new FakeMembership()
  readonly time = new ManualTime()
  readonly troubles: unknown[] = []
  readonly node: Node
  #appliedSeq = 0
  #ids = 0
  #nonce = 0

  constructor() {
    this.node = new Node({
      membership: this.membership,
      clocks: this.time,
      timers: this.time,
      newNodeId: () => {
        this.#ids += 1
        return `node-${this.#ids}`
      },
      leaseMs: LEASE_MS,
      appliedSeq: () => this.#appliedSeq,
      onTrouble: (error) => this.troubles.push(error),
    })
  }

  /** A node that has joined and holds a lease. */
  static async joined(): Promise<NodeFixture> {
    const fixture = new NodeFixture()
    await fixture.node.join()
    await fixture.time.settle()
    return fixture
  }

  /** Commits an entry, which this node applies at once. @returns its number */
  commit(): number {
    this.membership.headSeq += 1
    this.#appliedSeq = this.membership.headSeq
    this.node.applied()
    return this.#appliedSeq
  }

  /** Commits an entry that this node has yet to apply. */
  commitElsewhere(): number {
    this.membership.headSeq += 1
    return this.membership.headSeq
  }

  catchUp(): void {
    this.#appliedSeq = this.membership.headSeq
    this.node.applied()
  }

  /** A verifier that has applied what the node has, and holds a lease. */
  async attach(verifierId: string, formerly: readonly string[] = []): Promise<void> {
    await this.node.attach(verifierId, formerly)
    this.node.acknowledged(verifierId, this.#appliedSeq)
    this.renew(verifierId)
  }

  renew(verifierId: string): { leaseMs: number; seq: number } | undefined {
    this.#nonce += 1
    return this.node.renew(verifierId, this.#nonce)
  }

  /** Waits for `seq` to be in force. */
  async wait(seq: number): Promise<Waiting> {
    const settled: { outcome?: InForce; error?: unknown } = {}
    this.node.inForce(seq).then(
      (outcome) => Object.assign(settled, { outcome }),
      (error: unknown) => Object.assign(settled, { error }),
    )
    await this.time.settle()
    return { outcome: () => settled.outcome, error: () => settled.error }
  }
}
