import { statusListUri } from '@rescind/protocol'

/** An epoch of the log that has ended. */
export interface FormerEpoch {
  readonly epoch: string
  /** Tokens that name it are accepted only with an index below: later ones were issued in a part of the history that was lost. */
  readonly beforeIdx: number
}

/** Which epochs of the log tokens may name, and up to which index. A limit is only ever lowered. */
export class Epochs {
  /** By the reference to the status list; the current one has no limit. */
  #limits: ReadonlyMap<string, number>
  #former: readonly FormerEpoch[]
  #current: string

  constructor(epoch: string) {
    this.#current = epoch
    this.#former = []
    this.#limits = new Map([[statusListUri(epoch), Number.POSITIVE_INFINITY]])
  }

  /** Oldest first. */
  get former(): readonly FormerEpoch[] {
    return this.#former
  }

  accepts({ uri, idx }: { readonly uri: string; readonly idx: number }): boolean {
    return idx < (this.#limits.get(uri) ?? 0)
  }

  /** Another epoch begins; the one so far has ended at this index. */
  open(epoch: string, beforeIdx: number): void {
    this.#take(epoch, [...this.#former, { epoch: this.#current, beforeIdx }])
  }

  /** Takes the epochs of another history of the log. What is not part of it is not accepted any more. */
  unite(epoch: string, former: readonly FormerEpoch[]): void {
    const known = new Map(this.#former.map((each) => [each.epoch, each.beforeIdx]))
    const lowered = former.map((each) => ({
      ...each,
      beforeIdx: Math.min(each.beforeIdx, known.get(each.epoch) ?? Number.POSITIVE_INFINITY),
    }))
    this.#take(epoch, lowered)
  }

  #take(epoch: string, former: readonly FormerEpoch[]): void {
    const limits = new Map([[statusListUri(epoch), Number.POSITIVE_INFINITY]])
    for (const each of [...this.#former, ...former]) {
      const uri = statusListUri(each.epoch)
      const isNamed = uri === statusListUri(epoch) || former.some((one) => one.epoch === each.epoch)
      if (isNamed) limits.set(uri, Math.min(each.beforeIdx, limits.get(uri) ?? Number.POSITIVE_INFINITY))
    }
    this.#current = epoch
    this.#former = former
    this.#limits = limits
  }
}
