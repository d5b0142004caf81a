/** Where the time comes from. Handed in everywhere, so that tests and simulations own it. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  nowMs(): number
}
