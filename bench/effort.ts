/** How long and how often things are measured. */
export interface Effort {
  readonly rounds: number
  /** Rounds before those that count, for the compilers to settle. */
  readonly warmUpRounds: number
  /** Length of one measurement under load. */
  readonly windowMs: number
  /** Rounds of what is measured inside this process. */
  readonly localRounds: number
  /** Members that issue tokens, and whose tokens are asked about. */
  readonly members: number
  /** Tokens of the holder of many. */
  readonly manyTokens: number
}

/** Enough for medians that repeat. Takes about three minutes. */
export const FULL: Effort = {
  rounds: 7,
  warmUpRounds: 1,
  windowMs: 700,
  localRounds: 40,
  members: 400,
  manyTokens: 1000,
}

/** Enough to see that everything runs. */
export const QUICK: Effort = {
  rounds: 1,
  warmUpRounds: 0,
  windowMs: 100,
  localRounds: 2,
  members: 20,
  manyTokens: 60,
}
