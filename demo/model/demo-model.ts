import type { DemoEvent } from './demo-event.ts'
import { type DemoState, initialState } from './demo-state.ts'
import { nextState } from './next-state.ts'

/** The state as it is now, for whoever draws it or waits for something in it. */
export class DemoModel {
  #state: DemoState
  readonly #waiting = new Set<() => void>()

  constructor(verifiers: number, leaseMs: number) {
    this.#state = initialState(verifiers, leaseMs)
  }

  get state(): DemoState {
    return this.#state
  }

  apply(event: DemoEvent): void {
    this.#state = nextState(this.#state, event)
    for (const look of this.#waiting) look()
  }

  /**
   * Resolves when this is true.
   *
   * @throws Error when it is not in time
   */
  async until(isTrue: (state: DemoState) => boolean, withinMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(new Error(`What was waited for did not happen in ${withinMs} ms`)), withinMs)
    const look = () => isTrue(this.#state) && resolve()
    this.#waiting.add(look)
    look()
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(look)
    }
  }
}
