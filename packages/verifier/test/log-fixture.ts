import { type Entry, type EntryBody, genesis, nextEntry, type Position, positionAfter } from '@rescind/protocol'
import { createLocalVerifier, type Snapshot } from '@rescind/verifier/core'
import { EPOCH, ISSUER, NOW_SEC } from './mint.ts'

/** A log in which entry n revokes token n, as long as needed. */
export class LogFixture {
  readonly epoch: string
  readonly #bodies: readonly EntryBody[]
  readonly #entries: Entry[] = []
  readonly #snapshots = new Map<number, Snapshot>()

  /** @param bodies of the first entries, instead of revocations */
  constructor(epoch = EPOCH, bodies: readonly EntryBody[] = []) {
    this.epoch = epoch
    this.#bodies = bodies
  }

  entry(seq: number): Entry {
    while (this.#entries.length < seq) {
      const next = this.#entries.length + 1
      const body = this.#bodies[next - 1] ?? { kind: 'token_revoked', idx: next }
      this.#entries.push(nextEntry(this.position(next - 1), body, NOW_SEC * 1000 + next))
    }
    const entry = this.#entries[seq - 1]
    if (entry === undefined) throw new RangeError(`No log has an entry ${seq}`)
    return entry
  }

  /** Entries from `first` to `last`. */
  entries(first: number, last: number): readonly Entry[] {
    this.entry(last)
    return this.#entries.slice(first - 1, last)
  }

  position(seq: number): Position {
    return seq === 0 ? genesis(this.epoch) : this.entries(1, seq).reduce(positionAfter, genesis(this.epoch))
  }

  snapshot(seq: number): Snapshot {
    const known = this.#snapshots.get(seq)
    if (known !== undefined) return known
    const lease = { holds: () => true }
    const clock = { nowMs: () => NOW_SEC * 1000 }
    const verifier = createLocalVerifier({ issuer: ISSUER, epoch: this.epoch, tokenPrefix: 'dz_', lease, clock })
    if (seq > 0) verifier.apply(this.entries(1, seq))
    const snapshot = verifier.snapshot()
    this.#snapshots.set(seq, snapshot)
    return snapshot
  }
}
