import { isServerFault } from './server-fault.ts'

/** The part of a batch that one unit may write in: it ends with the unit, so that nothing can slip into the next one. */
export class UnitScope {
  #ended = false
  #refusal: { readonly cause: unknown } | undefined

  /** Runs one statement of the unit. */
  async run<T>(statement: () => Promise<T>): Promise<T> {
    if (this.#ended) throw new Error('The transaction has ended; everything it does must be awaited inside its unit.')
    try {
      return await statement()
    } catch (error) {
      this.#refusal ??= { cause: error }
      throw error
    }
  }

  /** What the server did wrong, if anything: whatever was running cannot be trusted to be whole. */
  get fault(): { readonly cause: unknown } | undefined {
    return this.#refusal && isServerFault(this.#refusal.cause) ? this.#refusal : undefined
  }

  /** Runs the unit. Throws if a statement of it was refused, even if it went on regardless: nothing of it remains. */
  async runUnit<T>(unit: () => Promise<T>): Promise<T> {
    try {
      const result = await unit()
      if (this.#refusal) throw this.#refusal.cause
      return result
    } finally {
      this.#ended = true
    }
  }
}
