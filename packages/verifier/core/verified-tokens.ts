import type { VerifiedToken } from '@rescind/protocol'

/**
 * Tokens whose signature and claims were found good, by the whole token: a string that differs anywhere is another key.
 * Holds neither verdicts nor failures, so it answers nothing but "was this signed by us". Bounded: tokens live in two
 * generations, and when the younger is full the older is dropped; what is in use moves to the younger.
 */
export class VerifiedTokens {
  readonly #generationLimit: number
  #younger = new Map<string, VerifiedToken>()
  #older = new Map<string, VerifiedToken>()

  /**
   * @param limit most tokens ever held; below 2 none are
   * @throws RangeError when `limit` is not a non-negative safe integer
   */
  constructor(limit: number) {
    if (!Number.isSafeInteger(limit) || limit < 0) throw new RangeError('The limit must be a non-negative integer')
    this.#generationLimit = Math.floor(limit / 2)
  }

  get(token: string): VerifiedToken | undefined {
    const young = this.#younger.get(token)
    if (young !== undefined) return young
    const old = this.#older.get(token)
    if (old !== undefined) this.add(token, old)
    return old
  }

  add(token: string, verified: VerifiedToken): void {
    if (this.#generationLimit === 0) return
    if (this.#younger.size >= this.#generationLimit) {
      this.#older = this.#younger
      this.#younger = new Map()
    }
    this.#younger.set(copyOf(token), verified)
  }
}

/** A string of its own: a token cut out of a header or a body would keep all of that in memory for as long as it is held. */
function copyOf(token: string): string {
  return Buffer.from(token, 'latin1').toString('latin1')
}
