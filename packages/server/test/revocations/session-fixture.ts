import assert from 'node:assert/strict'
import {
  decodeServiceMessage,
  encodeVerifierMessage,
  type FeedSocketListener,
  type Position,
  type ServiceMessage,
  type VerifierMessage,
} from '@rescind/protocol'
import { LogFixture } from '../../../verifier/test/log-fixture.ts'
import { EPOCH, ISSUER } from '../../../verifier/test/mint.ts'
import { Feed } from '../../revocations/feed.ts'
import { MemorySocket } from './memory-connection.ts'
import { NodeFixture } from './node-fixture.ts'

export const LOG = new LogFixture()

/** One connection to the feed of a node, with a verifier at its other end that says what the test says. */
export class SessionFixture {
  readonly fixture: NodeFixture
  readonly feed: Feed
  readonly socket = new MemorySocket()
  readonly notices: string[] = []
  readonly uses: (readonly [number, number])[] = []
  /** The entries that were read from the storage, by number. */
  readonly read: number[] = []
  /** Committed, and not applied by this node yet. */
  unapplied = 0
  isCredentialGood = true
  readonly #session: FeedSocketListener
  #nonce = 0

  private constructor(fixture: NodeFixture) {
    this.fixture = fixture
    let ids = 0
    const seq = () => fixture.membership.headSeq
    this.feed = new Feed({
      node: fixture.node,
      installation: { issuer: ISSUER, tokenPrefix: 'dz_' },
      clocks: fixture.time,
      timers: fixture.time,
      newVerifierId: () => {
        ids += 1
        return EPOCH.replace(/.$/, String(ids))
      },
      noteUse: (idx, atMs) => this.uses.push([idx, atMs]),
      onNotice: (notice) => this.notices.push(notice),
      source: {
        get position() {
          return LOG.position(seq())
        },
        snapshot: () => LOG.snapshot(seq()),
      },
      read: {
        entriesAfter: async (after, limit) => {
          const entries = LOG.entries(after + 1, Math.min(seq() + this.unapplied, after + limit))
          this.read.push(...entries.map((entry) => entry.seq))
          return [...entries]
        },
      },
    })
    this.#session = this.feed.accept(this.socket, { tokenId: EPOCH, isGood: () => this.isCredentialGood })
  }

  /** A connection to a node that has applied the log up to `seq`. */
  static async at(seq: number): Promise<SessionFixture> {
    const session = new SessionFixture(await NodeFixture.joined())
    await session.commit(seq)
    return session
  }

  /** As {@link at}, with a verifier that has said hello and been welcomed. */
  static async greeted(seq: number, position: Position | null = LOG.position(seq)): Promise<SessionFixture> {
    const session = await SessionFixture.at(seq)
    await session.say({ type: 'hello', version: 1, position, formerly: [] })
    return session
  }

  async commit(entries = 1): Promise<void> {
    for (let n = 0; n < entries; n++) {
      const seq = this.fixture.commit()
      this.feed.applied([LOG.entry(seq)])
    }
    await this.fixture.time.settle()
  }

  async say(message: VerifierMessage): Promise<void> {
    await this.hear(encodeVerifierMessage(message))
  }

  async hear(data: string | Uint8Array): Promise<void> {
    this.#session.received(data)
    await this.fixture.time.settle()
  }

  async renew(): Promise<void> {
    this.#nonce += 1
    await this.say({ type: 'renew', nonce: this.#nonce })
  }

  async acknowledge(seq: number): Promise<void> {
    await this.say({ type: 'applied', seq, hash: LOG.position(seq).hash })
  }

  close(): void {
    this.#session.closed(1006)
  }

  /** Everything sent since the last time. Binary messages by their length. */
  sent(): (ServiceMessage | number)[] {
    return this.socket.outgoing.splice(0).map((data) => {
      if (typeof data !== 'string') return data.length
      const message = decodeServiceMessage(data)
      assert.ok(message, data)
      return message
    })
  }

  /** The types of everything sent since the last time. */
  sentTypes(): string[] {
    return this.sent().map((message) => (typeof message === 'number' ? 'piece' : message.type))
  }

  /** What the node believes this verifier to have applied; `undefined` when it knows nothing of it. */
  get believedSeq(): number | undefined {
    return [...this.fixture.node.attachments.values()][0]?.appliedSeq
  }

  /** How many leases the node granted it that have not ended. */
  get grants(): number {
    return [...this.fixture.node.attachments.values()][0]?.grants.length ?? 0
  }
}
