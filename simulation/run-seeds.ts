import type { RunOptions, RunResult } from './world.ts'
import { World } from './world.ts'

/** What every run reaches at least. */
export const AT_LEAST: RunOptions = { minSteps: 5_000, minAnswers: 20 }

/** Many runs, added up. */
export interface Total {
  readonly seeds: number
  readonly steps: number
  readonly answers: number
  readonly verifications: number
  readonly accepted: number
  readonly faults: Readonly<Record<string, number>>
  readonly faultsBeforeAnswer: Readonly<Record<string, number>>
  /** Seeds that ended before they had reached {@link AT_LEAST}. */
  readonly short: readonly number[]
  readonly failures: readonly Failure[]
}

export interface Failure {
  readonly seed: number
  readonly invariant: string
  readonly message: string
}

export const NOTHING: Total = {
  seeds: 0,
  steps: 0,
  answers: 0,
  verifications: 0,
  accepted: 0,
  faults: {},
  faultsBeforeAnswer: {},
  short: [],
  failures: [],
}

export function runSeed(seed: number): Promise<RunResult> {
  return new World(seed, AT_LEAST).run()
}

export function add(total: Total, more: Total): Total {
  return {
    seeds: total.seeds + more.seeds,
    steps: total.steps + more.steps,
    answers: total.answers + more.answers,
    verifications: total.verifications + more.verifications,
    accepted: total.accepted + more.accepted,
    faults: addCounts(total.faults, more.faults),
    faultsBeforeAnswer: addCounts(total.faultsBeforeAnswer, more.faultsBeforeAnswer),
    short: [...total.short, ...more.short],
    failures: [...total.failures, ...more.failures],
  }
}

export function totalOf(result: RunResult): Total {
  const { seed, steps, answers, violation } = result
  const isShort = violation === undefined && (steps < AT_LEAST.minSteps || answers < AT_LEAST.minAnswers)
  return {
    ...result,
    seeds: 1,
    short: isShort ? [seed] : [],
    failures: violation === undefined ? [] : [{ seed, invariant: violation.invariant, message: violation.message }],
  }
}

function addCounts(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>) {
  const sum = { ...one }
  for (const [name, count] of Object.entries(other)) sum[name] = (sum[name] ?? 0) + count
  return sum
}
