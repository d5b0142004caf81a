import type { Entry } from '@rescind/protocol'
import { isEngineFault } from './engine-fault.ts'

/** The part of a batch that one unit may write in: it ends with the unit, so that nothing can slip into the next one. */
export class UnitScope {
  /** What the unit appended to the log. */
  readonly entries: Entry[] = []
  #ended = false
  #refusal: { readonly cause: unknown } | undefined

  /** Runs one step of the unit. */
  async run<T>(step: () => T): Promise<T> {
    if (this.#ended) throw new Error('The transaction has ended; everything it does must be awaited inside its unit.')
    try {
      return step()
    } catch (error) {
      this.#refusal ??= { cause: error }
      throw error
    }
  }

  /** What the engine did wrong, if anything: whatever was running cannot be trusted to be whole. */
  get fault(): { readonly cause: unknown } | undefined {
    return this.#refusal && isEngineFault(this.#refusal.cause) ? this.#refusal : undefined
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
