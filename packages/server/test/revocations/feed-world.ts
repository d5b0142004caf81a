import assert from 'node:assert/strict'
import { FEED_CLOSE } from '@rescind/protocol'
import { ManualTime } from '../../../protocol/test/manual-time.ts'
import { AttachedVerifier } from '../../../verifier/core/attached-verifier.ts'
import { LogFixture } from '../../../verifier/test/log-fixture.ts'
import { EPOCH, ISSUER } from '../../../verifier/test/mint.ts'
import { randomFrom } from '../../../verifier/test/random-from.ts'
import { Feed } from '../../revocations/feed.ts'
import { FakeMembership } from './fake-membership.ts'
import { FeedWatch, WatchedNode } from './feed-watch.ts'
import { MemoryConnection } from './memory-connection.ts'
import { seededSigner } from './seeded-signer.ts'
import { TroubledNetwork } from './troubled-network.ts'

const LEASE_MS = 30_000
/** More than a socket may have waiting. */
const STUCK_BYTES = 6 * 1024 * 1024
const NEVER_REVOKED = 1_000_000

/** A service and a verifier, both as they are, and a network in between that troubles the messages to one of them. */
export class FeedWorld {
  readonly network: TroubledNetwork
  /** How often each code closed a connection. */
  readonly closed = new Map<number, number>()
  readonly #time = new ManualTime()
  readonly #random: () => number
  readonly #signer: ReturnType<typeof seededSigner>
  readonly #log: LogFixture
  readonly #membership = new FakeMembership()
  readonly #node: WatchedNode
  readonly #feed: Feed
  readonly #verifier: AttachedVerifier
  readonly #watch: FeedWatch
  readonly #connections = new Set<MemoryConnection>()
  readonly #tokens = new Map<number, string>()
  readonly #waits: Promise<void>[] = []
  #isCredentialGood = true
  /** The first entry is the key. */
  #seq = 1
  #ids = 0

  constructor(seed: number, towards: 'service' | 'verifier') {
    this.#random = randomFrom(seed)
    this.#signer = seededSigner(seed)
    this.#log = new LogFixture(EPOCH, [{ kind: 'key_added', jwk: this.#signer.jwk }])
    this.#node = this.#createNode()
    this.#feed = this.#createFeed()
    this.#verifier = new AttachedVerifier({
      connect: (listener) => this.#connect(listener),
      clocks: this.#time,
      timers: this.#time,
      random: this.#random,
    })
    this.#watch = new FeedWatch({
      node: this.#node,
      verifier: this.#verifier,
      log: this.#log,
      time: this.#time,
      leaseMs: LEASE_MS,
      committedSeq: () => this.#seq,
    })
    this.network = new TroubledNetwork(towards, this.#random, (nonce) => this.#watch.granted(nonce))
  }

  async start(): Promise<void> {
    this.#membership.headSeq = this.#seq
    await this.#node.join()
    await this.#time.settle()
    this.#feed.applied(this.#log.entries(1, this.#seq))
    this.#verifier.start()
  }

  /** Lets so many things happen. */
  async run(steps: number): Promise<void> {
    for (let n = 0; n < steps; n++) {
      await this.#happen()
      this.#watch.check()
    }
  }

  /** Without any more trouble the verifier comes to decide, and rejects what was revoked in all that time. */
  async heal(): Promise<void> {
    this.network.isTroubled = false
    for (let n = 0; n < 30; n++) {
      await this.#deliverAll()
      await this.#pass(2_500)
      this.#watch.check()
    }
    await this.#deliverAll()
    await Promise.all(this.#waits)
    assert.ok(this.#verifier.holds())
    assert.equal(this.#verifier.state.position?.seq, this.#seq)
    for (const idx of [2, this.#seq >> 1, this.#seq - 1, this.#seq]) assert.equal(this.#statusOf(idx), 'revoked')
    assert.equal(this.#statusOf(NEVER_REVOKED), 'valid')
  }

  /** Nothing is kept of a verifier that is gone for long. */
  async end(): Promise<void> {
    this.#verifier.close()
    await this.#deliverAll()
    await this.#pass(2 * LEASE_MS)
    await this.#deliverAll()
    this.#node.applied()
    assert.equal(this.#feed.size, 0)
    assert.equal(this.#node.attachments.size, 0)
  }

  async #happen(): Promise<void> {
    const chance = this.#random()
    const connection = [...this.#connections][Math.floor(this.#random() * this.#connections.size)]
    const isBusy = connection?.isBusy === true
    if (isBusy && chance < 0.9) await this.#deliver(connection)
    else if (chance < 0.9) await this.#pass(this.#random() * 4_000)
    else if (chance < 0.94) this.#commit(1 + Math.floor(this.#random() * 3))
    else if (chance < 0.942) connection?.break()
    else if (chance < 0.944) this.#isCredentialGood = false
    else if (chance < 0.946) this.#feed.leave()
    else if (chance < 0.95) this.#jam(this.#random() * STUCK_BYTES)
    else if (chance < 0.955) this.#verifyRevoked()
    else await this.#pass(this.#random() < 0.02 ? 40_000 : this.#random() * 4_000)
  }

  async #pass(ms: number): Promise<void> {
    this.#isCredentialGood = true
    if (this.#random() < 0.7) this.#jam(0)
    await this.#time.settle(Math.floor(ms))
    this.#forgetClosed()
  }

  #jam(bytes: number): void {
    for (const { service } of this.#connections) service.socket.bufferedBytes = bytes
  }

  #commit(entries: number): void {
    const first = this.#seq + 1
    this.#seq += entries
    this.#membership.headSeq = this.#seq
    this.#node.applied()
    this.#feed.applied(this.#log.entries(first, this.#seq))
    this.#waits.push(this.#watch.inForce(this.#seq))
  }

  async #deliverAll(): Promise<void> {
    this.#jam(0)
    for (let n = 0; n < 100; n++) {
      for (const connection of this.#connections) if (connection.isBusy) await this.#deliver(connection)
    }
  }

  async #deliver(connection: MemoryConnection): Promise<void> {
    connection.deliver(this.#random(), (message, to) => this.network.pass(message, to))
    // For what is read from the log, or from the members.
    for (let n = 0; n < 4; n++) await undefined
    this.#forgetClosed()
  }

  #forgetClosed(): void {
    for (const connection of this.#connections) {
      if (!connection.isOver) continue
      this.#connections.delete(connection)
      for (const { socket } of [connection.service, connection.verifier]) {
        if (socket.closeCode === undefined) continue
        assert.ok(Object.values(FEED_CLOSE).includes(socket.closeCode))
        this.closed.set(socket.closeCode, (this.closed.get(socket.closeCode) ?? 0) + 1)
      }
    }
  }

  #verifyRevoked(): void {
    const idx = 2 + Math.floor(this.#random() * (this.#watch.furthestSeq - 1))
    if (idx <= this.#watch.furthestSeq) assert.notEqual(this.#statusOf(idx), 'valid', 'once revoked, for ever revoked')
    this.#statusOf(NEVER_REVOKED)
  }

  #statusOf(idx: number): string {
    const token = this.#tokens.get(idx) ?? this.#signer.mint(idx)
    this.#tokens.set(idx, token)
    const verdict = this.#verifier.verify(token)
    return verdict.status === 'rejected' ? verdict.reason : verdict.status
  }

  #connect(listener: ConstructorParameters<typeof MemoryConnection>[0]) {
    const connection = new MemoryConnection(listener, (socket) =>
      this.#feed.accept(socket, { tokenId: EPOCH, isGood: () => this.#isCredentialGood }),
    )
    connection.service.socket.onSend = this.#watch.ofService()
    connection.verifier.socket.onSend = this.#watch.ofVerifier
    this.#connections.add(connection)
    return connection.verifier.socket
  }

  #createNode(): WatchedNode {
    return new WatchedNode({
      membership: this.#membership,
      clocks: this.#time,
      timers: this.#time,
      newNodeId: () => this.#newId(),
      leaseMs: LEASE_MS,
      appliedSeq: () => this.#seq,
      onTrouble: (error) => assert.fail(String(error)),
    })
  }

  #createFeed(): Feed {
    const log = this.#log
    const seq = () => this.#seq
    return new Feed({
      node: this.#node,
      installation: { issuer: ISSUER, tokenPrefix: 'dz_' },
      clocks: this.#time,
      timers: this.#time,
      newVerifierId: () => this.#newId(),
      noteUse: (idx, atMs) => assert.ok(Number.isSafeInteger(idx) && Number.isSafeInteger(atMs)),
      onNotice: () => {},
      source: {
        get position() {
          return log.position(seq())
        },
        snapshot: () => log.snapshot(seq()),
      },
      read: { entriesAfter: async (after, limit) => [...log.entries(after + 1, Math.min(seq(), after + limit))] },
    })
  }

  #newId(): string {
    this.#ids += 1
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`
  }
}
