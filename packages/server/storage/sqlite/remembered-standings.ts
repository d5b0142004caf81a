import type { Standing } from '../records.ts'

/** More than these are not worth their memory. */
const LIMIT = 10_000

/**
 * Standings that were read from committed rows, which every request asks for. A write that could change one makes it
 * forgotten before it is written, and nothing is remembered again until the batch of that write has ended. So what is
 * remembered is what the database says, inside a unit and outside, whether the batch commits or not. Nothing is
 * remembered once the storage has failed or is closed.
 */
export class RememberedStandings {
  readonly #standings = new Map<number, Standing | undefined>()

  has(idx: number): boolean {
    return this.#standings.has(idx)
  }

  get(idx: number): Standing | undefined {
    return this.#standings.get(idx)
  }

  /** To be called between batches only. */
  remember(idx: number, standing: Standing | undefined): void {
    if (this.#standings.size >= LIMIT) this.#standings.clear()
    this.#standings.set(idx, standing)
  }

  forget(idx: number): void {
    this.#standings.delete(idx)
  }

  forgetAll(): void {
    this.#standings.clear()
  }
}
