import { type Clocks, type FeedSocket, SNAPSHOT_PIECE_BYTES, type Timers } from '@rescind/protocol'
import type { Batch, FeedLog, Place, Snapshot } from './feed-log.ts'

interface LogStreamDeps {
  readonly log: FeedLog
  readonly clocks: Clocks
  readonly timers: Timers
}

/** A position that a message led to, and when that was sent. */
interface Sent {
  readonly position: Place
  readonly atMs: number
}

/** Messages on their way to a verifier that has not acknowledged them: the bound of what it costs while it does not. */
const MAX_UNACKNOWLEDGED = 32
/** More than this waiting in a socket, and nothing is added that can be sent later. */
export const FULL_BYTES = 256 * 1024
const DRAIN_POLL_MS = 20

/**
 * The log on its way to one verifier: the pieces of a snapshot where it needs one, then entries, as far as it keeps up.
 * Holds no entries of its own, only how far the verifier is.
 */
export class LogStream {
  readonly #deps: LogStreamDeps
  readonly #socket: FeedSocket
  readonly #onFailed: () => void
  #phase: 'waiting' | 'streaming' | 'ended' = 'waiting'
  /** The last position sent. */
  #sentSeq = 0
  /** Sent and not acknowledged, oldest first. */
  #unacknowledged: Sent[] = []
  /** Of a snapshot that is being sent. */
  #remaining: Uint8Array | undefined
  #isReading = false
  #cancelDrain = (): void => {}

  /** @param onFailed the log cannot be read */
  constructor(deps: LogStreamDeps, socket: FeedSocket, onFailed: () => void) {
    this.#deps = deps
    this.#socket = socket
    this.#onFailed = onFailed
  }

  /** Of what the verifier was promised, how much the network has not taken yet. */
  get unsentBytes(): number {
    return this.#socket.bufferedBytes + (this.#remaining?.length ?? 0)
  }

  /** For how long the verifier has not acknowledged something it was sent; zero when there is nothing. */
  get behindMs(): number {
    const [oldest] = this.#unacknowledged
    return oldest === undefined ? 0 : this.#deps.clocks.monotonicMs() - oldest.atMs
  }

  /** To a verifier that has applied the log up to `seq`. */
  startAfter(seq: number): void {
    if (this.#phase !== 'waiting') return
    this.#phase = 'streaming'
    this.#sentSeq = seq
    this.advance()
  }

  /** To a verifier that was told of this snapshot. */
  startWith({ position, bytes }: Snapshot): void {
    if (this.#phase !== 'waiting') return
    this.#phase = 'streaming'
    this.#remaining = bytes
    this.#sendPieces(position)
  }

  /** Sends what there is to send, as far as the verifier keeps up. */
  advance(): void {
    while (this.#phase === 'streaming' && this.#mayStream()) {
      const batch = this.#deps.log.batchAfter(this.#sentSeq)
      if (batch === undefined) return
      if (batch instanceof Promise) this.#advanceLater(batch)
      else this.#stream(batch)
    }
  }

  /** @returns whether this position was sent to the verifier, and not acknowledged yet; no other can have been applied */
  acknowledged(seq: number, hash: string): 'sent' | 'never_sent' | 'other_hash' {
    const at = this.#unacknowledged.findIndex(({ position }) => position.seq === seq)
    if (at === -1) return 'never_sent'
    if (this.#unacknowledged[at]?.position.hash !== hash) return 'other_hash'
    this.#unacknowledged.splice(0, at + 1)
    return 'sent'
  }

  /** Sends nothing more. What was sent can still be acknowledged. */
  end(): void {
    this.#phase = 'ended'
    this.#cancelDrain()
  }

  #sendPieces(position: Place): void {
    while (this.#remaining !== undefined && this.#socket.bufferedBytes < FULL_BYTES) {
      this.#socket.send(this.#remaining.subarray(0, SNAPSHOT_PIECE_BYTES))
      this.#remaining = this.#remaining.subarray(SNAPSHOT_PIECE_BYTES)
      if (this.#remaining.length === 0) this.#remaining = undefined
    }
    if (this.#remaining !== undefined) this.#whenDrained(() => this.#sendPieces(position))
    else {
      this.#noteSent(position)
      this.advance()
    }
  }

  #mayStream(): boolean {
    if (this.#remaining !== undefined || this.#isReading) return false
    if (this.#unacknowledged.length >= MAX_UNACKNOWLEDGED) return false
    if (this.#socket.bufferedBytes < FULL_BYTES) return true
    this.#whenDrained(() => this.advance())
    return false
  }

  #whenDrained(goOn: () => void): void {
    this.#cancelDrain()
    this.#cancelDrain = this.#deps.timers.after(DRAIN_POLL_MS, () => {
      if (this.#phase === 'streaming') goOn()
    })
  }

  #advanceLater(reading: Promise<Batch | undefined>): void {
    this.#isReading = true
    reading.then(
      (batch) => {
        this.#isReading = false
        if (batch === undefined || this.#phase !== 'streaming') return
        this.#stream(batch)
        this.advance()
      },
      () => this.#onFailed(),
    )
  }

  #stream({ text, position }: Batch): void {
    this.#socket.send(text)
    this.#noteSent(position)
  }

  #noteSent(position: Place): void {
    this.#sentSeq = position.seq
    this.#unacknowledged.push({ position, atMs: this.#deps.clocks.monotonicMs() })
  }
}
