import { type Entry, type Timers, Unavailable } from '@rescind/protocol'
import type { Standing } from '../records.ts'
import { SqlReads } from '../sql/sql-reads.ts'
import type { Run } from '../sql/statement.ts'
import type { LogTail } from './log-tail.ts'
import { tokenLists } from './sql-builder.ts'

/** More than these are not worth their memory. */
const LIMIT = 10_000
/** A database that has not answered after this long is away. */
const PATIENCE_MS = 300
/** After this long nothing is told from memory: whoever lost a role in the meantime has lost it. */
const LONGEST_AWAY_MS = 60_000
/** How long an absent database is not asked again about what is known. */
const AWAY_MS = 1_000

interface PostgresReadsDeps {
  readonly timers: Timers
  readonly monotonicMs: () => number
  readonly tail: Pick<LogTail, 'expect'>
  /** @throws Unavailable once the storage has failed or is closed: nothing is told from memory then */
  readonly assertOpen: () => void
}

/**
 * Reads of what is committed. While the database is away, the standing of a token is what it was when it was last read:
 * whoever uses tokens does not notice. That it was revoked since is for the verifier of the node to say, whose lease
 * bounds all of this; whoever wants to change anything needs the database.
 */
export class PostgresReads extends SqlReads {
  readonly #timers: Timers
  readonly #monotonicMs: () => number
  readonly #standings = new Map<number, Standing>()
  readonly #tail: Pick<LogTail, 'expect'>
  readonly #assertOpen: () => void
  #isAway = false
  /** When the database last stopped to answer, on the monotonic clock; `undefined` while it does. */
  #awaySinceMs: number | undefined

  constructor(run: Run, { timers, monotonicMs, tail, assertOpen }: PostgresReadsDeps) {
    super(run, tokenLists)
    this.#timers = timers
    this.#monotonicMs = monotonicMs
    this.#tail = tail
    this.#assertOpen = assertOpen
  }

  /** What verifiers are told of the log is what is followed, or will be. */
  override async entriesAfter(seq: number, limit: number): Promise<Entry[]> {
    const entries = await super.entriesAfter(seq, limit)
    for (const entry of entries) this.#tail.expect(entry)
    return entries
  }

  override async standing(idx: number): Promise<Standing | undefined> {
    const known = this.#standings.get(idx)
    if (known === undefined) return this.#readStanding(idx)
    this.#assertOpen()
    if (this.#monotonicMs() - (this.#awaySinceMs ?? Number.POSITIVE_INFINITY) > LONGEST_AWAY_MS) {
      return this.#readStanding(idx)
    }
    if (this.#isAway) return known
    return this.#readOrKnow(idx, known)
  }

  async #readStanding(idx: number): Promise<Standing | undefined> {
    const standing = await super.standing(idx)
    this.#awaySinceMs = undefined
    this.#standings.delete(idx)
    if (standing !== undefined) this.#standings.set(idx, standing)
    if (this.#standings.size > LIMIT) this.#standings.delete(this.#standings.keys().next().value ?? idx)
    return standing
  }

  #readOrKnow(idx: number, known: Standing): Promise<Standing | undefined> {
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#setAway()
        resolve(known)
      }
      const cancel = this.#timers.after(PATIENCE_MS, giveUp)
      this.#readStanding(idx)
        .finally(cancel)
        .then(resolve, (error: unknown) => (error instanceof Unavailable ? giveUp() : reject(error)))
    })
  }

  #setAway(): void {
    if (this.#isAway) return
    this.#isAway = true
    this.#awaySinceMs ??= this.#monotonicMs()
    this.#timers.after(AWAY_MS, () => {
      this.#isAway = false
    })
  }
}
