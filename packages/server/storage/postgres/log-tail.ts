import { continues, type Entry, type Position, positionAfter, type Timers, Unavailable } from '@rescind/protocol'
import { UnexpectedResult } from '../sql/statement.ts'
import { StorageRefused } from '../storage.ts'

interface TailDeps {
  /** Reads committed entries in order. */
  readonly read: (afterSeq: number, limit: number) => Promise<Entry[]>
  readonly timers: Timers
  /** What is in the database cannot be handed on: it is not what was handed on before, or the follower threw. */
  readonly failed: (cause: unknown) => void
  /** The log could not be read; it is tried again. */
  readonly onTrouble: (error: unknown) => void
}

type Deliver = (entries: readonly Entry[]) => void

/** A place in a log; its hash says which log that is. */
type Place = Pick<Position, 'seq' | 'hash'>

/** What a transaction leaves behind in the log. */
export interface Committed {
  /** Where the log ended for the transaction; `undefined` when there was no installation yet. */
  readonly head: Position | undefined
  /** What it has appended itself, at the end. */
  readonly entries: readonly Entry[]
}

/** How often the log is read when nothing tells that there is more, in milliseconds. */
const POLL_MS = 250
/** Entries read at a time. */
const CHUNK = 1000
/** Hashes kept of what was handed on. Nobody asks for older ones than a batch of transactions is long. */
const KEPT_HASHES = 4096

/**
 * Hands the log on to its end, again and again: in order, without gaps, each entry once, and only what continues what
 * was handed on before. A hint makes it look earlier; the polls alone are enough.
 */
export class LogTail {
  readonly #deps: TailDeps
  readonly #hashes = new Map<number, string>()
  #position: Position | undefined
  #deliver: Deliver = () => {}
  #looking: Promise<void> | undefined
  #lookAgain = false
  #cancelPoll = (): void => {}
  #isOver = false

  constructor(deps: TailDeps) {
    this.#deps = deps
  }

  /** The last entry that was handed on; `undefined` while nobody follows. */
  get position(): Position | undefined {
    return this.#position
  }

  /** Resolves when everything that is there was handed on. */
  follow(after: Position, deliver: Deliver): Promise<void> {
    if (this.#position) return Promise.reject(new Error('The revocation log already has a follower.'))
    this.#position = after
    this.#hashes.set(after.seq, after.hash)
    this.#deliver = deliver
    return this.#look()
  }

  /** There may be more. */
  wake(): void {
    if (this.#position) this.#look().catch(this.#deps.onTrouble)
  }

  /**
   * Resolves when everything that a transaction could see was handed on, from the history that it saw: what it found
   * done by others says nothing of a history that this process might come to apply instead.
   *
   * @throws Unavailable when what is read does not reach as far yet
   */
  async committed({ head, entries }: Committed): Promise<void> {
    if (this.#position === undefined || head === undefined) return
    this.expect(head)
    if (entries[0]?.seq === this.#position.seq + 1) this.#handOn(entries)
    else if (head.seq > this.#position.seq) await this.#look()
    if (this.#position.seq < head.seq) throw new Unavailable('storage_unavailable')
  }

  /**
   * A database has this entry, which may be still to come. After a failover, connections may lead to two databases: what
   * is handed on must be the history that everything else was read from.
   */
  expect({ seq, hash }: Place): void {
    if (this.#position === undefined) return
    const known = this.#hashes.get(seq)
    if (known !== undefined && known !== hash) this.diverged()
    if (seq > this.#position.seq) this.#hashes.set(seq, hash)
  }

  /** Ends with a failure: another history than the one that was handed on. */
  diverged(): never {
    const { seq } = this.#position ?? { seq: 0 }
    return this.#fail(
      new StorageRefused(
        `The database has another history than the one that was followed up to entry ${seq}: committed transactions were lost, in a failover or by putting back an older copy. Open a new epoch before the service is started again.`,
      ),
    )
  }

  stop(): void {
    this.#isOver = true
    this.#cancelPoll()
  }

  #look(): Promise<void> {
    if (this.#looking) {
      this.#lookAgain = true
      return this.#looking
    }
    this.#cancelPoll()
    this.#looking = this.#catchUp()
    return this.#looking
  }

  async #catchUp(): Promise<void> {
    try {
      do {
        this.#lookAgain = false
        let chunk: Entry[]
        do {
          chunk = await this.#readOn()
          this.#handOn(chunk)
        } while (chunk.length === CHUNK)
      } while (this.#lookAgain)
    } finally {
      // Not a moment after the last look: whoever asks from now on needs another one.
      this.#looking = undefined
      if (!this.#isOver) this.#cancelPoll = this.#deps.timers.after(POLL_MS, () => this.wake())
    }
  }

  /** Reads the last entry again that was handed on: a log that became shorter has nothing after it. */
  async #readOn(): Promise<Entry[]> {
    const { seq = 0, hash } = this.#position ?? {}
    const entries = await this.#deps.read(Math.max(0, seq - 1), CHUNK).catch((error: unknown) => {
      throw error instanceof UnexpectedResult ? this.#fail(error) : error
    })
    if (seq > 0 && entries[0]?.hash !== hash) this.diverged()
    return entries
  }

  /** Some of them may have been handed on while they were read. */
  #handOn(entries: readonly Entry[]): void {
    if (this.#isOver) return
    const fresh = entries.filter(({ seq }) => seq > (this.#position?.seq ?? 0))
    if (fresh.length === 0) return
    let position = this.#position
    for (const entry of fresh) {
      if (position === undefined || !continues(position, entry)) this.diverged()
      if (entry.hash !== (this.#hashes.get(entry.seq) ?? entry.hash)) this.diverged()
      position = positionAfter(position, entry)
      this.#hashes.set(entry.seq, entry.hash)
      this.#hashes.delete(entry.seq - KEPT_HASHES)
    }
    // Whatever the follower tells of these entries counts for the history that has them, and for no other.
    this.#position = position
    try {
      this.#deliver(fresh)
    } catch (cause) {
      this.#fail(cause)
    }
  }

  #fail(cause: unknown): never {
    this.stop()
    this.#deps.failed(cause)
    throw cause
  }
}
