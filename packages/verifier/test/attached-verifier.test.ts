import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  decodeVerifierMessage,
  type Entry,
  encodeBase64url,
  encodeServiceMessage,
  FEED_CLOSE,
  type FeedSocketListener,
  MAX_USES,
  nextEntry,
  publicJwk,
  type ServiceMessage,
  type VerifierMessage,
} from '@rescind/protocol'
import { ManualTime } from '../../protocol/test/manual-time.ts'
import { AttachedVerifier } from '../core/attached-verifier.ts'
import { HOME, LEASE_MS } from './follower-states.ts'
import { LogFixture } from './log-fixture.ts'
import { claimsOf, createSigner, EPOCH } from './mint.ts'

const USABLE_MS = LEASE_MS * 0.8

/** A verifier and, by hand, the service that it follows. */
class Service {
  readonly time = new ManualTime()
  readonly signer = createSigner()
  readonly log = new LogFixture(EPOCH, [{ kind: 'key_added', jwk: this.signer.jwk }])
  readonly verifier: AttachedVerifier
  readonly notices: string[] = []
  /** What it sent, on whatever connection, and what was true of it then. */
  readonly heard: { message: VerifierMessage; held: boolean; appliedSeq: number | undefined }[] = []
  readonly closes: number[] = []
  readonly connectedAtMs: number[] = []
  #listener: (FeedSocketListener & { opened(): void }) | undefined

  constructor(random = () => 0) {
    this.verifier = new AttachedVerifier({
      connect: (listener) => {
        this.#listener = listener
        this.connectedAtMs.push(this.time.monotonicMs())
        return {
          bufferedBytes: 0,
          send: (text) => this.#hear(String(text)),
          close: (code) => this.closes.push(code),
          destroy: () => {},
        }
      },
      clocks: this.time,
      timers: this.time,
      random,
      onNotice: (notice) => this.notices.push(notice),
    })
    this.verifier.start()
  }

  /** A verifier that has applied what the log says up to `seq`, and holds a lease. */
  static leased(seq = 1): Service {
    const service = new Service()
    service.greet()
    const { position, bytes, sha256 } = service.log.snapshot(seq)
    service.say({ type: 'snapshot', position, bytes: bytes.length, sha256 })
    service.#listener?.received(bytes)
    service.grant(seq)
    return service
  }

  open(): void {
    this.#listener?.opened()
  }

  greet(): void {
    this.open()
    this.say({ type: 'welcome', verifierId: EPOCH, ...HOME, resync: false })
  }

  say(message: ServiceMessage): void {
    this.#listener?.received(encodeServiceMessage(message))
  }

  grant(seq: number): void {
    this.say({ type: 'grant', nonce: this.verifier.state.nonce, leaseMs: LEASE_MS, seq })
  }

  lose(): void {
    this.#listener?.closed(1006)
  }

  get types(): string[] {
    return this.heard.map(({ message }) => message.type)
  }

  #hear(text: string): void {
    const message = decodeVerifierMessage(text)
    assert.ok(message, text)
    this.heard.push({ message, held: this.verifier.holds(), appliedSeq: this.verifier.position?.seq })
  }
}

/** The next entry after `seq`, which no verifier can apply: a key that is no point of its curve. */
function inapplicable(log: LogFixture, seq: number): Entry {
  const [x, y] = [1, 2].map((byte) => encodeBase64url(Buffer.alloc(32, byte)))
  const jwk = publicJwk({ kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' })
  return nextEntry(log.position(seq), { kind: 'key_added', jwk }, 1)
}

describe('an attached verifier', () => {
  test('is undecided until it was granted a lease and has applied what that names', () => {
    const service = new Service()
    const token = service.signer.mint(claimsOf({ idx: 1_000 }))
    assert.deepEqual(service.verifier.verify(token), { status: 'undecided' })
    service.greet()
    assert.deepEqual(service.verifier.verify(token), { status: 'undecided' })
    assert.equal(Service.leased(1).verifier.holds(), true)
  })

  test('decides alone while its lease holds, connected or not, and not a moment longer', () => {
    const service = Service.leased()
    const token = service.signer.mint(claimsOf({ idx: 1_000 }))
    service.lose()
    service.time.advance(USABLE_MS - 1)
    assert.equal(service.verifier.verify(token).status, 'valid')
    service.time.advance(1)
    assert.deepEqual(service.verifier.verify(token), { status: 'undecided' })
    assert.ok(service.notices.includes('lapsed'))
  })

  test('rejects what a message of the feed revoked, from that message on, and has applied it when it says so', () => {
    const service = Service.leased()
    const token = service.signer.mint(claimsOf({ idx: 2 }))
    assert.equal(service.verifier.verify(token).status, 'valid')
    service.say({ type: 'entries', entries: service.log.entries(2, 3) })
    assert.equal(service.verifier.verify(token).status, 'rejected')
    const { hash } = service.log.position(3)
    assert.deepEqual(service.heard.at(-1), { message: { type: 'applied', seq: 3, hash }, held: true, appliedSeq: 3 })
  })

  test('acknowledges nothing that it could not apply, and decides nothing from then on', () => {
    const service = Service.leased()
    const acknowledged = service.types.filter((type) => type === 'applied').length
    service.say({ type: 'entries', entries: [inapplicable(service.log, 1)] })
    assert.equal(service.types.filter((type) => type === 'applied').length, acknowledged)
    assert.deepEqual(service.closes, [FEED_CLOSE.log_mismatch])
    assert.ok(!service.verifier.holds())
    assert.equal(service.verifier.state.position, null)
    assert.equal(service.verifier.position?.seq, 1)
  })

  test('says goodbye when it has stopped deciding, for good, and leaves nothing to be done', () => {
    const service = Service.leased()
    service.verifier.close()
    const goodbye = service.heard.at(-1)
    assert.deepEqual([goodbye?.message.type, goodbye?.held], ['goodbye', false])
    service.grant(1)
    assert.ok(!service.verifier.holds())
    assert.equal(service.time.pending, 0)
  })

  test('that is closed while it pauses connects no more', () => {
    const service = Service.leased()
    service.lose()
    service.verifier.close()
    assert.equal(service.time.pending, 0)
  })

  test('says goodbye when its credential has ended, and tries again in case it is another one by then', () => {
    const service = Service.leased()
    service.say({ type: 'goodbye', reason: 'credential_ended' })
    const goodbye = service.heard.at(-1)
    assert.deepEqual([goodbye?.message.type, goodbye?.held], ['goodbye', false])
    assert.ok(service.notices.includes('credential_ended'))
    service.time.advance(50)
    assert.equal(service.connectedAtMs.length, 2)
  })

  test('tells when tokens were last used, each once, in messages of a bounded length', () => {
    const service = Service.leased()
    const start = service.time.nowMs()
    for (let idx = 1; idx <= MAX_USES + 1; idx++)
      service.verifier.verify(service.signer.mint(claimsOf({ idx: 1_000 + idx })))
    service.time.advance(2_000)
    const again = service.signer.mint(claimsOf({ idx: 1_001 }))
    for (let n = 0; n < 3; n++) service.verifier.verify(again)
    service.verifier.verify(service.signer.mint(claimsOf({ idx: 1_000_000, exp: 1 })))
    const uses = () => service.heard.flatMap(({ message }) => (message.type === 'usage' ? message.uses : []))
    assert.deepEqual(uses(), [])
    for (let n = 0; n < 15; n++) {
      service.time.advance(1_000)
      if (service.verifier.state.asked !== null) service.grant(1)
    }
    assert.equal(service.types.filter((type) => type === 'usage').length, 2)
    assert.equal(uses().length, MAX_USES + 1)
    assert.deepEqual(uses()[0], [1_001, start + 2_000])
  })

  test('tells of uses as soon as there is somebody to tell, when there was nobody in time', () => {
    const service = Service.leased()
    assert.equal(service.verifier.verify(service.signer.mint(claimsOf({ idx: 1_000 }))).status, 'valid')
    service.lose()
    service.time.advance(15_000)
    assert.ok(!service.types.includes('usage'))
    while (service.verifier.state.phase !== 'connecting') service.time.advance(100)
    service.greet()
    assert.deepEqual(service.types.slice(-3), ['hello', 'renew', 'usage'])
  })

  test('comes back after pauses that double up to five seconds, spread over the upper half', () => {
    for (const [random, pauses] of [
      [() => 0, [25, 50, 100, 200, 400, 800, 1_600, 2_500, 2_500]],
      [() => 0.5, [38, 75, 150, 300, 600, 1_200, 2_400, 3_750, 3_750]],
    ] as const) {
      const service = new Service(random)
      for (const pauseMs of pauses) {
        const lostAtMs = service.time.monotonicMs()
        service.lose()
        service.time.advance(5_000)
        assert.equal((service.connectedAtMs.at(-1) ?? 0) - lostAtMs, pauseMs)
      }
    }
  })

  test('hears nothing that comes in on a connection that it has given up', () => {
    const service = Service.leased()
    const { heard } = service
    service.say({ type: 'entries', entries: [service.log.entry(5)] })
    assert.deepEqual(service.closes, [FEED_CLOSE.bad_message])
    const count = heard.length
    service.say({ type: 'entries', entries: service.log.entries(2, 3) })
    service.grant(1)
    assert.equal(service.verifier.position?.seq, 1)
    assert.equal(heard.length, count)
  })
})
