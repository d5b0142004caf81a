import type { Entry } from '@rescind/protocol'

/** The last entries that this node has applied, so that streaming them asks no database. */
export class RecentEntries {
  readonly #limit: number
  #entries: Entry[] = []

  /** @param limit entries kept at least, once there were as many */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** @param entries that follow those added before */
  add(entries: readonly Entry[]): void {
    for (const entry of entries) this.#entries.push(entry)
    if (this.#entries.length > 2 * this.#limit) this.#entries = this.#entries.slice(-this.#limit)
  }

  /** At most `limit` entries after `seq`; `undefined` when the first of them is not kept any more. */
  after(seq: number, limit: number): readonly Entry[] | undefined {
    const firstSeq = this.#entries[0]?.seq
    if (firstSeq === undefined || seq + 1 < firstSeq) return undefined
    const from = seq + 1 - firstSeq
    return this.#entries.slice(from, from + limit)
  }
}
