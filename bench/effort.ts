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

/** How long and how often services on PostgreSQL are measured. */
export interface PostgresEffort {
  readonly rounds: number
  /** Services on one database, one installation of each count. */
  readonly nodeCounts: readonly number[]
  /** One, many, and more than many. */
  readonly clientCounts: readonly [number, number, number]
  /** Length of one measurement under load. */
  readonly windowMs: number
  /** Length of one measurement of how long revocations take, at a moderate rate. */
  readonly propagationMs: number
  readonly members: number
}

/** Takes about two and a half minutes. */
export const POSTGRES_FULL: PostgresEffort = {
  rounds: 3,
  nodeCounts: [1, 2, 3],
  clientCounts: [1, 32, 128],
  windowMs: 500,
  propagationMs: 1200,
  members: 200,
}

/** Enough to see that everything runs. */
export const POSTGRES_QUICK: PostgresEffort = {
  rounds: 1,
  nodeCounts: [2],
  clientCounts: [1, 8, 16],
  windowMs: 100,
  propagationMs: 300,
  members: 10,
}
