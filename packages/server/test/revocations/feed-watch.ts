import assert from 'node:assert/strict'
import { decodeServiceMessage, decodeVerifierMessage, type Instant } from '@rescind/protocol'
import type { ManualTime } from '../../../protocol/test/manual-time.ts'
import type { Message } from '../../../protocol/test/mutator.ts'
import type { AttachedVerifier } from '../../../verifier/core/attached-verifier.ts'
import type { LogFixture } from '../../../verifier/test/log-fixture.ts'
import { Node } from '../../revocations/node.ts'
import type { Grant } from './troubled-network.ts'

const MOST_SENT_AHEAD = 33
const MOST_GRANTS = 64

/** Says everything that it comes to believe of a verifier. */
export class WatchedNode extends Node {
  onAcknowledged: (verifierId: string, seq: number) => void = () => {}
  onDetached: () => void = () => {}

  override acknowledged(verifierId: string, seq: number): void {
    this.onAcknowledged(verifierId, seq)
    super.acknowledged(verifierId, seq)
  }

  override detached(verifierId: string): void {
    this.onDetached()
    super.detached(verifierId)
  }
}

interface Watched {
  readonly node: WatchedNode
  readonly verifier: AttachedVerifier
  readonly log: LogFixture
  readonly time: ManualTime
  readonly leaseMs: number
  readonly committedSeq: () => number
}

/** What has to hold between a service and a verifier of it, whatever the network does. */
export class FeedWatch {
  readonly #watched: Watched
  /** By nonce: what was granted, and by the moment it was asked for, the nonce. */
  readonly #grants = new Map<number, Grant>()
  readonly #requests = new WeakMap<Instant, number>()
  /** What was sent to each connection and not acknowledged. */
  readonly #ahead = new Map<string, number[]>()
  /** The furthest that the verifier has ever applied. */
  furthestSeq = 0

  constructor(watched: Watched) {
    this.#watched = watched
    watched.node.onAcknowledged = (verifierId, seq) => this.#acknowledged(verifierId, seq)
    watched.node.onDetached = () => assert.ok(!watched.verifier.holds(), 'goodbye is said by who has stopped deciding')
  }

  granted(nonce: number): Grant | undefined {
    return this.#grants.get(nonce)
  }

  /** @returns hears what a service sends on one connection */
  ofService(): (message: Message) => void {
    let verifierId = ''
    return (text) => {
      const message = typeof text === 'string' ? decodeServiceMessage(text) : undefined
      assert.ok(typeof text !== 'string' || message !== undefined, 'a service writes what can be read')
      if (message?.type === 'welcome') verifierId = message.verifierId
      if (message?.type === 'grant') this.#granted(message)
      const seq = message?.type === 'entries' ? message.entries.at(-1)?.seq : undefined
      const lead = message?.type === 'snapshot' ? message.position.seq : seq
      if (lead === undefined) return
      const ahead = [...(this.#ahead.get(verifierId) ?? []), lead]
      assert.ok(ahead.length <= MOST_SENT_AHEAD, 'bounded: what is sent and not acknowledged')
      this.#ahead.set(verifierId, ahead)
    }
  }

  /** Hears what the verifier sends. */
  readonly ofVerifier = (text: Message): void => {
    const { verifier, time } = this.#watched
    const { asked } = verifier.state
    const message = typeof text === 'string' ? decodeVerifierMessage(text) : undefined
    assert.ok(message, 'a verifier writes what can be read')
    if (message.type === 'applied') {
      assert.equal(verifier.position?.seq, message.seq, 'applied, then acknowledged')
    }
    if (message.type === 'goodbye') assert.ok(!verifier.holds(), 'goodbye is said by who has stopped deciding')
    if (message.type !== 'renew') return
    assert.ok(asked !== null && asked.since.monotonicMs <= time.monotonicMs(), 'a lease counts from before the request')
    this.#requests.set(asked.since, asked.nonce)
  }

  /** Once the service takes an entry for being in force, the verifier has applied it or decides nothing. */
  async inForce(seq: number): Promise<void> {
    const { node, verifier } = this.#watched
    await node.inForce(seq)
    const applied = verifier.state.position?.seq ?? -1
    assert.ok(applied >= seq || !verifier.holds(), `${seq} is not in force at a verifier that has applied ${applied}`)
  }

  check(): void {
    this.#checkVerifier()
    this.#checkService()
  }

  #checkService(): void {
    const { node, time, leaseMs, committedSeq } = this.#watched
    for (const { grants, appliedSeq } of node.attachments.values()) {
      assert.ok(grants.length <= MOST_GRANTS && appliedSeq <= committedSeq())
      assert.ok(appliedSeq <= this.furthestSeq, 'what a verifier is believed to have applied, it has applied')
      for (const { seq, endsMs } of grants) assert.ok(seq <= committedSeq() && endsMs <= time.monotonicMs() + leaseMs)
    }
    // Two for the node, three for the verifier, and for each connection that it tells to end, or streams to.
    assert.ok(time.pending <= 5 + 2 * node.attachments.size + 2 * this.#ahead.size, 'bounded: what is to be done later')
  }

  #checkVerifier(): void {
    const { verifier, log } = this.#watched
    const { position, leases, download } = verifier.state
    if (position !== null) {
      assert.deepEqual(position, log.position(position.seq), 'what was applied is what the log says')
      assert.deepEqual(verifier.position, position)
      if (position.seq < this.furthestSeq) assert.ok(!verifier.holds(), 'whoever goes back holds no lease')
      this.furthestSeq = Math.max(this.furthestSeq, position.seq)
    }
    for (const { since, grantedMs, seq } of leases) {
      const grant = this.#grants.get(this.#requests.get(since) ?? -1)
      assert.ok(grant && grantedMs <= grant.leaseMs && seq >= grant.seq, 'no lease is more than what was granted')
    }
    assert.equal(new Set(leases.map(({ since }) => since)).size, leases.length, 'one request, one lease')
    assert.ok(leases.length <= MOST_GRANTS && (download?.pieces.length ?? 0) <= 1_000, 'bounded: what is kept')
  }

  #acknowledged(verifierId: string, seq: number): void {
    const furthest = Math.max(this.furthestSeq, this.#watched.verifier.state.position?.seq ?? 0)
    assert.ok(seq <= furthest, 'what a verifier is believed to have applied, it has applied')
    this.#ahead.set(
      verifierId,
      (this.#ahead.get(verifierId) ?? []).filter((each) => each > seq),
    )
  }

  #granted(grant: Grant): void {
    const { leaseMs, committedSeq } = this.#watched
    assert.ok(grant.leaseMs <= leaseMs && grant.seq === committedSeq())
    const before = this.#grants.get(grant.nonce) ?? grant
    const longest = Math.max(before.leaseMs, grant.leaseMs)
    this.#grants.set(grant.nonce, { ...grant, leaseMs: longest, seq: Math.min(before.seq, grant.seq) })
  }
}
