/** Where the time comes from. Handed in everywhere, so that tests and simulations own it. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  nowMs(): number
}

/** Both clocks of a process. */
export interface Clocks extends Clock {
  /** Milliseconds on a clock that is never set and never goes back. It may stand still while the machine is suspended. */
  monotonicMs(): number
}

/** Runs things later. */
export interface Timers {
  /**
   * Runs `run` once, `delayMs` from now on the monotonic clock or later.
   *
   * @returns cancels it; harmless when it has run
   */
  after(delayMs: number, run: () => void): () => void
}
