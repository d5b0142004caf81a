import type { Entry } from '@rescind/protocol'
import { isEngineFault } from './engine-fault.ts'

/** The part of a batch that one unit may write in: it ends with the unit, so that nothing can slip into the next one. */
export class UnitScope {
  /** What the unit appended to the log. */
  readonly entries: Entry[] = []
  #ended = false
  #fault: { readonly cause: unknown } | undefined

  /** Runs one step of the unit. */
  async run<T>(step: () => T): Promise<T> {
    if (this.#ended) throw new Error('The transaction has ended; everything it does must be awaited inside its unit.')
    try {
      return step()
    } catch (error) {
      if (isEngineFault(error)) this.#fault ??= { cause: error }
      throw error
    }
  }

  /** Ends the unit. Throws a fault of the engine that the unit met, even if it went on regardless. */
  end(): void {
    this.#ended = true
    if (this.#fault) throw this.#fault.cause
  }
}
