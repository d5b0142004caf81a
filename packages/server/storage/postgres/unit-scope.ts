import { isServerFault } from './server-fault.ts'

/**
 * The part of a batch that one unit may write in: it ends with the unit, so that nothing can slip into the next one.
 * What is sent is answered in order, so what nobody needs the answer of is not waited for until the unit ends.
 */
export class UnitScope {
  readonly #started: Promise<unknown>[] = []
  #ended = false
  #refusal: { readonly cause: unknown } | undefined

  /** Runs one statement of the unit. */
  async run<T>(statement: () => Promise<T>): Promise<T> {
    this.#assertRunning()
    try {
      return await statement()
    } catch (error) {
      this.#refusal ??= { cause: error }
      throw error
    }
  }

  /** Sends one statement of the unit, without waiting for its answer. */
  start(statement: () => Promise<unknown>): void {
    this.#assertRunning()
    const answer = this.run(statement)
    answer.catch(() => {})
    this.#started.push(answer)
  }

  /** What the server did wrong, if anything: whatever was running cannot be trusted to be whole. */
  get fault(): { readonly cause: unknown } | undefined {
    return this.#refusal && isServerFault(this.#refusal.cause) ? this.#refusal : undefined
  }

  /** Whether a statement was refused, of those that were answered. */
  get isRefused(): boolean {
    return this.#refusal !== undefined
  }

  /** Resolves when everything that was sent is answered. */
  async answered(): Promise<void> {
    await Promise.allSettled(this.#started)
  }

  /**
   * Runs the unit, without waiting for the answers that it did not wait for: whether one of them was refused is known
   * once they are {@link answered}.
   *
   * @throws what the unit throws, or what a statement was refused for so far
   */
  async runUnconfirmed<T>(unit: () => Promise<T>): Promise<T> {
    try {
      const result = await unit()
      if (this.#refusal) throw this.#refusal.cause
      return result
    } finally {
      this.#ended = true
    }
  }

  /**
   * Runs the unit until everything that it sent was answered.
   *
   * @throws what the first statement was refused for, even if the unit went on regardless: nothing of it may remain
   */
  async runUnit<T>(unit: () => Promise<T>): Promise<T> {
    const outcome = await unit().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    this.#ended = true
    await Promise.allSettled(this.#started)
    if (this.#refusal) throw this.#refusal.cause
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }

  #assertRunning(): void {
    if (this.#ended) throw new Error('The transaction has ended; everything it does must be awaited inside its unit.')
  }
}
