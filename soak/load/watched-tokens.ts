/** Tokens that verifiers are to look at more than at others, each for as long as somebody wants that. */
export class WatchedTokens {
  readonly #tell: (tokens: readonly number[]) => void
  readonly #sets = new Set<readonly number[]>()

  /** @param tell is told all of them whenever that changes */
  constructor(tell: (tokens: readonly number[]) => void) {
    this.#tell = tell
  }

  /** @returns ends it for these */
  add(tokens: readonly number[]): () => void {
    this.#sets.add(tokens)
    this.#tellAll()
    return () => {
      this.#sets.delete(tokens)
      this.#tellAll()
    }
  }

  #tellAll(): void {
    this.#tell([...this.#sets].flat())
  }
}
