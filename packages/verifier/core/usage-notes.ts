import { MAX_USES } from '@rescind/protocol'

/** More than these are not worth their memory: the service learns of uses late, or of the later ones. */
const LIMIT = 100_000

/** When tokens were last accepted, until the service has been told. */
export class UsageNotes {
  #lastUsedAtMs = new Map<number, number>()

  /** @param atMs milliseconds since the epoch */
  note(idx: number, atMs: number): void {
    if (this.#lastUsedAtMs.size >= LIMIT && !this.#lastUsedAtMs.has(idx)) return
    this.#lastUsedAtMs.set(idx, atMs)
  }

  /** Everything noted since the last time, in portions of one message each. */
  take(): readonly (readonly (readonly [idx: number, atMs: number])[])[] {
    const notes = [...this.#lastUsedAtMs]
    this.#lastUsedAtMs.clear()
    const portions: (typeof notes)[] = []
    for (let from = 0; from < notes.length; from += MAX_USES) portions.push(notes.slice(from, from + MAX_USES))
    return portions
  }
}
