import { isUuid, statusListUri } from '@rescind/protocol'

/** An epoch of the log that has ended. */
export interface FormerEpoch {
  readonly epoch: string
  /** The log knows of its tokens with an index below this, and of no others. */
  readonly beforeIdx: number
}

/**
 * The epochs of a log, as far as it was applied: which tokens it knows of. A token names the epoch it was issued in. Those
 * of a former epoch from a certain index on were issued after the copy that the log was put back from, so nobody could
 * revoke them any more.
 */
export class Epochs {
  #current: string
  #currentUri: string
  /** By status list, oldest first. */
  #former = new Map<string, FormerEpoch>()

  constructor(first: string) {
    this.#current = first
    this.#currentUri = statusListUri(first)
  }

  /** Whether the log knows of the token that has this index in this status list. */
  know({ uri, idx }: { readonly uri: string; readonly idx: number }): boolean {
    if (uri === this.#currentUri) return true
    const former = this.#former.get(uri)
    return former !== undefined && idx < former.beforeIdx
  }

  /** Those that have ended, oldest first. */
  get former(): readonly FormerEpoch[] {
    return [...this.#former.values()]
  }

  /** @throws RangeError, changing nothing, when the epoch was one before, or the limit of the one that ends is none */
  open(epoch: string, beforeIdx: number): void {
    const uri = statusListUri(epoch)
    if (!isUuid(epoch) || uri === this.#currentUri || this.#former.has(uri)) {
      throw new RangeError('An epoch must have a UUID that no other had')
    }
    if (!Number.isSafeInteger(beforeIdx) || beforeIdx < 0) throw new RangeError(`${beforeIdx} ends no epoch`)
    this.#former.set(this.#currentUri, { epoch: this.#current, beforeIdx })
    this.#current = epoch
    this.#currentUri = uri
  }

  /** Takes those of another history instead. @returns whether that knows of other tokens */
  replace(current: string, former: readonly FormerEpoch[]): boolean {
    const before = JSON.stringify([this.#current, this.former])
    this.#current = current
    this.#currentUri = statusListUri(current)
    this.#former = new Map(former.map((each) => [statusListUri(each.epoch), each]))
    return JSON.stringify([this.#current, this.former]) !== before
  }
}
