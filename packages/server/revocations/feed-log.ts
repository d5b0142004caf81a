import { type Entry, encodeServiceMessage, type Position } from '@rescind/protocol'
import type { Reads } from '../storage/storage.ts'
import { RecentEntries } from './recent-entries.ts'

/** The verifier of this node, as far as the feed needs it. */
export interface FeedSource {
  readonly position: Position
  /** Everything applied up to {@link position}. */
  snapshot(): Snapshot
}

export interface Snapshot {
  readonly position: Position
  readonly bytes: Uint8Array
  /** Lower-case hex SHA-256 of `bytes`. */
  readonly sha256: string
}

export interface Batch {
  /** An `entries` message. */
  readonly text: string
  /** Where it leads to. */
  readonly position: Place
}

/** A place in the log; its hash says which log that is. */
export type Place = Pick<Position, 'seq' | 'hash'>

/** Entries in one message at most. */
const BATCH = 500
/** Entries kept in memory for streaming. Whoever is further behind than this is sent a snapshot. */
const RECENT_ENTRIES = 4096

/** What this node has applied, in the forms it is sent in. Each form is made once, however many verifiers need it. */
export class FeedLog {
  readonly #source: FeedSource
  readonly #read: Pick<Reads, 'entriesAfter'>
  readonly #recent = new RecentEntries(RECENT_ENTRIES)
  #encoded: { readonly afterSeq: number; readonly batch: Batch } | undefined
  #snapshot: Snapshot | undefined

  constructor(source: FeedSource, read: Pick<Reads, 'entriesAfter'>) {
    this.#source = source
    this.#read = read
  }

  get position(): Position {
    return this.#source.position
  }

  /** To be called with what this node has just applied. */
  applied(entries: readonly Entry[]): void {
    this.#recent.add(entries)
  }

  /** The next entries after `seq`; `undefined` when this node has applied nothing after it. */
  batchAfter(seq: number): Batch | undefined | Promise<Batch | undefined> {
    if (seq >= this.position.seq) return undefined
    const recent = this.#recent.after(seq, BATCH)
    return recent === undefined ? this.#batchFromStorage(seq) : this.#encode(recent)
  }

  /** True when streaming from `seq` costs more than a snapshot does. */
  isFarBehind(seq: number): boolean {
    return this.position.seq - seq > RECENT_ENTRIES
  }

  /** A state that streaming can go on from. The same one serves everybody who needs one at about the same time. */
  snapshot(): Snapshot {
    const kept = this.#snapshot
    if (kept !== undefined && kept.position.epoch === this.position.epoch && !this.isFarBehind(kept.position.seq)) {
      return kept
    }
    this.#snapshot = this.#source.snapshot()
    return this.#snapshot
  }

  /**
   * The hash that the log has at `seq`, which this node may not have applied yet; `undefined` when it does not reach there,
   * or goes much further than this node. What this node has not applied is read from where it stands: only that tells
   * that both are of one history.
   */
  async hashAt(seq: number): Promise<string | undefined> {
    const recent = this.#recent.after(seq - 1, 1)?.[0]
    if (recent !== undefined) return recent.hash
    const afterSeq = Math.min(seq - 1, this.position.seq)
    if (seq - afterSeq > RECENT_ENTRIES) return undefined
    const entries = await this.#read.entriesAfter(afterSeq, seq - afterSeq)
    return entries[seq - afterSeq - 1]?.hash
  }

  async #batchFromStorage(seq: number): Promise<Batch | undefined> {
    return this.#encode(await this.#read.entriesAfter(seq, BATCH))
  }

  #encode(entries: readonly Entry[]): Batch | undefined {
    const first = entries[0]
    const last = entries.at(-1)
    if (first === undefined || last === undefined) return undefined
    const afterSeq = first.seq - 1
    if (this.#encoded?.afterSeq === afterSeq && this.#encoded.batch.position.seq === last.seq)
      return this.#encoded.batch
    const position = { seq: last.seq, hash: last.hash }
    const batch = { text: encodeServiceMessage({ type: 'entries', entries }), position }
    this.#encoded = { afterSeq, batch }
    return batch
  }
}
