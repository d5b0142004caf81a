import type { Clock } from '@rescind/protocol'
import type { Storage } from '../storage/storage.ts'

/** Tokens written in one transaction: a few milliseconds. */
const SLICE = 200

/** Tokens noted at once because somebody else says so. More are told again with a later use, or are made up. */
const MOST_TOLD = 100_000

/**
 * When each token was last used. Verifying only notes it in memory; the notes are written in batches, because a write
 * for every verification would make the database the speed of verification.
 */
export class Usage {
  readonly #storage: Pick<Storage, 'transact'>
  readonly #clock: Clock
  readonly #lastUsedAtMs = new Map<number, number>()

  constructor(storage: Pick<Storage, 'transact'>, clock: Clock) {
    this.#storage = storage
    this.#clock = clock
  }

  /** @param idx of a token that was just accepted */
  note(idx: number): void {
    this.#lastUsedAtMs.set(idx, this.#clock.nowMs())
  }

  /**
   * Notes a use that a verifier tells of. An index that no token has is noted for nothing.
   *
   * @param atMs by the clock of the verifier, which may be ahead: no use is in the future
   */
  noteTold(idx: number, atMs: number): void {
    const usedAtMs = Math.min(atMs, this.#clock.nowMs())
    const known = this.#lastUsedAtMs.get(idx)
    if (known === undefined ? this.#lastUsedAtMs.size < MOST_TOLD : known < usedAtMs) {
      this.#lastUsedAtMs.set(idx, usedAtMs)
    }
  }

  /**
   * Writes what was noted since the last flush, a slice at a time, so that requests are served in between. Notes of a
   * flush that fails are dropped: they are statistics.
   */
  async flush(): Promise<void> {
    const notes = [...this.#lastUsedAtMs]
    this.#lastUsedAtMs.clear()
    for (let from = 0; from < notes.length; from += SLICE) {
      const slice = new Map(notes.slice(from, from + SLICE))
      await this.#storage.transact((tx) => tx.recordUsage(slice))
    }
  }
}
