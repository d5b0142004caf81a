import type { Entry, EntryBody } from '@rescind/protocol'
import type { NewToken } from '../packages/server/storage/storage.ts'

/**
 * Entries that were committed somewhere and are not in the log that goes on: nobody was answered for them, unless
 * somebody put an older copy of the log in place. Those who have applied one keep what it revoked.
 */
export class LostHistory {
  /** What each has in common with the log: the number of an entry. By hash. */
  readonly #baseOf = new Map<string, number>()
  readonly #bodies: EntryBody[] = []

  /** @param previous the hash that the log has before the number of `entry` */
  add(entry: Entry, previous: string | undefined): void {
    const before = entry.seq - 1
    const isNext = before === 0 || entry.prevHash === previous
    this.#baseOf.set(entry.hash, isNext ? before : (this.#baseOf.get(entry.prevHash) ?? before))
    this.#bodies.push(entry.body)
  }

  /** The log itself has lost what comes after `seq`. */
  shortened(seq: number): void {
    for (const [hash, base] of this.#baseOf) if (base > seq) this.#baseOf.set(hash, seq)
  }

  /** How much of the log somebody has applied who stands at this entry; `undefined` for one that was never lost. */
  baseOf(hash: string): number | undefined {
    return this.#baseOf.get(hash)
  }

  /** Whether an entry that was lost revokes the token. */
  covers({ idx, businessId, userId, kid }: NewToken): boolean {
    return this.#bodies.some((body) => {
      switch (body.kind) {
        case 'token_revoked':
          return body.idx === idx
        case 'business_revoked':
          return body.businessId === businessId && idx < body.beforeIdx
        case 'member_revoked':
          return body.businessId === businessId && body.userId === userId && idx < body.beforeIdx
        case 'key_retired':
          return body.kid === kid
        default:
          return false
      }
    })
  }
}
