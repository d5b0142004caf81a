import type { Ending } from '../history/run-history.ts'

/** How long revocations took, in milliseconds. */
export interface RevocationTimes {
  /** Those that were answered in the end. */
  readonly answered: number
  readonly bulk: number
  readonly attempts: number
  readonly refused: number
  readonly broken: number
  /** Of the request that was answered, for each: 50th, 99th and 100th percentile. */
  readonly answerMs: Percentiles
  /** From the first attempt to the first answer, what was down in between included. */
  readonly wholeMs: Percentiles
}

export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export function revocationTimes(endings: readonly Ending[]): RevocationTimes {
  const answerMs: number[] = []
  const wholeMs: number[] = []
  for (const { attempts } of endings) {
    const first = attempts.find(({ outcome }) => outcome === 'answered')
    if (first === undefined) continue
    answerMs.push((first.endedNs - first.sentNs) / 1e6)
    wholeMs.push((first.endedNs - Math.min(...attempts.map(({ sentNs }) => sentNs))) / 1e6)
  }
  const attempts = endings.flatMap((ending) => ending.attempts)
  const count = (of: string) => attempts.filter(({ outcome }) => outcome === of).length
  return {
    answered: answerMs.length,
    bulk: endings.filter(({ target }) => target.kind !== 'token').length,
    attempts: attempts.length,
    refused: count('refused'),
    broken: count('broken'),
    answerMs: percentiles(answerMs),
    wholeMs: percentiles(wholeMs),
  }
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}
