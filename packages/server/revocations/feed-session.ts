import {
  type Clocks,
  decodeVerifierMessage,
  encodeServiceMessage,
  FEED_CLOSE,
  type FeedCloseCode,
  type FeedSocket,
  type FeedSocketListener,
  genesis,
  type Position,
  renewalIntervalMs,
  type ServiceMessage,
  type Timers,
  type VerifierMessage,
} from '@rescind/protocol'
import type { Installation } from '../storage/storage.ts'
import type { FeedLog } from './feed-log.ts'
import { FULL_BYTES, LogStream } from './log-stream.ts'
import type { Node } from './node.ts'

/** How long a connection may take to say hello. */
const HELLO_TIMEOUT_MS = 5_000
/** How long the other end may take to close a connection that is done. */
const CLOSE_TIMEOUT_MS = 2_000
/** A verifier that is not heard of for so many renewals, and for at least this long, is gone. */
const MISSED_RENEWALS = 3
const LEAST_SILENCE_MS = 1_000
/** More than this, and the other end does not read. */
const STUCK_BYTES = 16 * FULL_BYTES

/** What happened on a connection, for the log. */
export type FeedNotice =
  | 'attached'
  /** What the verifier had applied is not of this log; it is sent everything. */
  | 'resync'
  | 'bad_message'
  | 'log_mismatch'
  | 'credential_ended'
  | 'silent'
  | 'too_slow'
  | 'detached'
  | 'disconnected'

export interface SessionDeps {
  readonly node: Node
  readonly log: FeedLog
  readonly installation: Pick<Installation, 'issuer' | 'tokenPrefix'>
  readonly clocks: Clocks
  readonly timers: Timers
  /** A random UUID, which nobody can guess from any others: whoever knows it can speak for the verifier. */
  readonly newVerifierId: () => string
  /** A verifier accepted a token of this index at this time, in milliseconds since the epoch. */
  readonly noteUse: (idx: number, atMs: number) => void
  readonly onNotice: (notice: FeedNotice, verifierId: string, tokenId: string) => void
}

/** What a connection was let in with. */
export interface FeedCredential {
  /** Id of the token's record: safe to log. */
  readonly tokenId: string
  /** Whether it may still follow the feed. Asked after every entry and at every renewal. */
  isGood(): boolean
}

/**
 * One connection of one verifier: says what it needs to catch up, has what follows streamed, answers its renewals, and
 * ends when either side has to.
 */
export class FeedSession implements FeedSocketListener {
  readonly #deps: SessionDeps
  readonly #socket: FeedSocket
  readonly #credential: FeedCredential
  readonly #onClosed: () => void
  readonly #verifierId: string
  readonly #stream: LogStream
  #phase: 'greeting' | 'positioning' | 'following' | 'closing' | 'closed' = 'greeting'
  #cancelSilence: () => void

  constructor(deps: SessionDeps, socket: FeedSocket, credential: FeedCredential, onClosed: () => void) {
    this.#deps = deps
    this.#socket = socket
    this.#credential = credential
    this.#onClosed = onClosed
    this.#verifierId = deps.newVerifierId()
    this.#stream = new LogStream(deps, socket, () => this.#end(FEED_CLOSE.going_away))
    this.#cancelSilence = deps.timers.after(HELLO_TIMEOUT_MS, () => this.#end(FEED_CLOSE.silent, 'silent'))
  }

  received(data: string | Uint8Array): void {
    if (this.#phase === 'closed') return
    const message = typeof data === 'string' ? decodeVerifierMessage(data) : undefined
    if (message === undefined) this.#end(FEED_CLOSE.bad_message, 'bad_message')
    else this.#receive(message)
  }

  closed(): void {
    if (this.#phase === 'closed') return
    const { node, onNotice } = this.#deps
    if (this.#phase !== 'closing') onNotice('disconnected', this.#verifierId, this.#credential.tokenId)
    this.#phase = 'closed'
    this.#cancelSilence()
    this.#stream.end()
    node.disconnected(this.#verifierId)
    this.#onClosed()
  }

  /** Sends what there is to send, as far as the verifier keeps up. */
  advance(): void {
    this.#stream.advance()
  }

  /** Ends the connection when its credential has ended. What ended it has been sent before. */
  checkCredential(): void {
    if (this.#phase === 'closing' || this.#phase === 'closed' || this.#credential.isGood()) return
    this.#send({ type: 'goodbye', reason: 'credential_ended' })
    this.#end(FEED_CLOSE.credential_ended, 'credential_ended')
  }

  leave(): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    this.#send({ type: 'goodbye', reason: 'leaving' })
    this.#end(FEED_CLOSE.going_away)
  }

  destroy(): void {
    this.#socket.destroy()
    this.closed()
  }

  #receive(message: VerifierMessage): void {
    // What a verifier says while its connection is being closed can still spare somebody a wait.
    const isLast = message.type === 'applied' || message.type === 'goodbye'
    if (this.#phase === 'closing' && !isLast) return
    const isHello = message.type === 'hello'
    if ((this.#phase === 'greeting') !== isHello || this.#phase === 'positioning') {
      this.#end(FEED_CLOSE.bad_message, 'bad_message')
      return
    }
    switch (message.type) {
      case 'hello':
        this.#greet(message)
        break
      case 'renew':
        this.#renew(message.nonce)
        break
      case 'applied':
        this.#acknowledge(message)
        break
      case 'usage':
        for (const [idx, atMs] of message.uses) this.#deps.noteUse(idx, atMs)
        break
      case 'goodbye':
        this.#deps.node.detached(this.#verifierId)
        this.#end(FEED_CLOSE.done, 'detached')
        break
    }
  }

  /** Nothing is granted before it is known whether the verifier builds on this log. */
  #greet({ position, formerly }: Extract<VerifierMessage, { type: 'hello' }>): void {
    this.#phase = 'positioning'
    const { node } = this.#deps
    Promise.all([position === null || this.#isOurs(position), node.attach(this.#verifierId, formerly)]).then(
      ([isOurs]) => this.#start(position, isOurs),
      () => this.#end(FEED_CLOSE.going_away),
    )
  }

  #start(position: Position | null, isOurs: boolean): void {
    if (this.#phase !== 'positioning') return
    const { node, log, installation, onNotice } = this.#deps
    const { issuer, tokenPrefix } = installation
    const { epoch } = log.position
    onNotice('attached', this.#verifierId, this.#credential.tokenId)
    if (!isOurs) onNotice('resync', this.#verifierId, this.#credential.tokenId)
    const { leaseMs } = node
    this.#phase = 'following'
    this.#send({ type: 'welcome', verifierId: this.#verifierId, epoch, issuer, tokenPrefix, leaseMs, resync: !isOurs })
    this.#waitForRenewal()
    if (position !== null && isOurs) node.acknowledged(this.#verifierId, position.seq)
    if (position === null || !isOurs || log.isFarBehind(position.seq)) this.#sendSnapshot()
    else this.#stream.startAfter(position.seq)
  }

  /** Whether the log has this hash at this place. */
  async #isOurs({ epoch, seq, hash }: Position): Promise<boolean> {
    const { log } = this.#deps
    if (epoch !== log.position.epoch) return false
    return hash === (seq === 0 ? genesis(epoch).hash : await log.hashAt(seq))
  }

  #sendSnapshot(): void {
    const snapshot = this.#deps.log.snapshot()
    const { position, bytes, sha256 } = snapshot
    this.#send({ type: 'snapshot', position, bytes: bytes.length, sha256 })
    this.#stream.startWith(snapshot)
  }

  #renew(nonce: number): void {
    this.checkCredential()
    // It is heard of, and has applied nothing of what it was sent for a whole lease: no lease is of use to it.
    if (this.#stream.behindMs > this.#deps.node.leaseMs) this.#end(FEED_CLOSE.too_slow, 'too_slow')
    if (this.#phase === 'closing') return
    this.#waitForRenewal()
    const grant = this.#deps.node.renew(this.#verifierId, nonce)
    if (grant !== undefined) this.#send({ type: 'grant', nonce: grant.nonce, leaseMs: grant.leaseMs, seq: grant.seq })
  }

  /** Only a position that was sent can have been applied. */
  #acknowledge({ seq, hash }: { readonly seq: number; readonly hash: string }): void {
    switch (this.#stream.acknowledged(seq, hash)) {
      case 'never_sent':
        this.#end(FEED_CLOSE.bad_message, 'bad_message')
        break
      case 'other_hash':
        this.#end(FEED_CLOSE.log_mismatch, 'log_mismatch')
        break
      case 'sent':
        this.#deps.node.acknowledged(this.#verifierId, seq)
        this.#stream.advance()
        break
    }
  }

  #waitForRenewal(): void {
    const { node, timers } = this.#deps
    const silenceMs = Math.max(MISSED_RENEWALS * renewalIntervalMs(node.leaseMs), LEAST_SILENCE_MS)
    this.#cancelSilence()
    const unsentBytes = this.#stream.unsentBytes
    this.#cancelSilence = timers.after(silenceMs, () => {
      // A verifier that is still taking what it was sent could not renew: its grant may be waiting behind that.
      const isTaking = unsentBytes > 0 && this.#stream.unsentBytes < unsentBytes
      if (isTaking) this.#waitForRenewal()
      else this.#end(FEED_CLOSE.silent, 'silent')
    })
  }

  #send(message: ServiceMessage): void {
    if (this.#socket.bufferedBytes > STUCK_BYTES) {
      this.#deps.onNotice('too_slow', this.#verifierId, this.#credential.tokenId)
      this.destroy()
    } else this.#socket.send(encodeServiceMessage(message))
  }

  #end(code: FeedCloseCode, notice?: FeedNotice): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    this.#phase = 'closing'
    if (notice !== undefined) this.#deps.onNotice(notice, this.#verifierId, this.#credential.tokenId)
    this.#cancelSilence()
    this.#stream.end()
    this.#cancelSilence = this.#deps.timers.after(CLOSE_TIMEOUT_MS, () => this.destroy())
    this.#socket.close(code)
  }
}
