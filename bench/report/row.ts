import type { Sample, Samples } from '../load/rounds.ts'
import { type Latency, median } from './statistics.ts'

/** What a value has to reach. */
export type Bar = { readonly atLeast: number } | { readonly atMost: number }

/** One line of the table. */
export interface Row {
  readonly what: string
  /** What was measured, with its unit. */
  readonly figure?: string
  readonly p50?: string
  readonly p99?: string
  /** How it compares with {@link against}. */
  readonly ratio?: string
  readonly against?: string
  readonly bar?: string
  /** Absent without a bar. */
  readonly passed?: boolean
}

/** The value of each round, of both sides of a comparison. */
export interface Comparison {
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
  readonly against: string
  readonly bar?: Bar
}

/** The ratio is the median of the rounds' ratios: what disturbs a round disturbs both of its sides. */
export function comparisonCells({ ours, theirs, against, bar }: Comparison): Omit<Row, 'what'> {
  const ratio = median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)))
  const cells = { ratio: times(ratio), against }
  if (bar === undefined) return cells
  return { ...cells, bar: barText(bar, times), passed: reaches(ratio, bar) }
}

export function reaches(value: number, bar: Bar): boolean {
  return 'atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost
}

/** @param format writes a value with its unit */
export function barText(bar: Bar, format: (value: number) => string): string {
  return 'atLeast' in bar ? `≥ ${format(bar.atLeast)}` : `≤ ${format(bar.atMost)}`
}

/** As {@link comparisonCells}, of how much more one side is, in milliseconds. */
export function differenceCells({ ours, theirs, against, bar }: Comparison): Omit<Row, 'what'> {
  const difference = median(ours.map((value, round) => value - (theirs[round] ?? Number.NaN)))
  const cells = { ratio: more(difference), against }
  if (bar === undefined) return cells
  return { ...cells, bar: barText(bar, more), passed: reaches(difference, bar) }
}

/** What an item achieved, in a line of its own. */
export function loadRow(samples: Samples, name: string): Row {
  const own = samplesOf(samples, name)
  return {
    what: name,
    figure: perSecond(median(own.map((sample) => sample.perSecond))),
    ...latencyCells(own),
  }
}

/** @param rounds the latency of each */
export function latencyCells(rounds: readonly Latency[]): Pick<Row, 'p50' | 'p99'> {
  const middle = (read: (round: Latency) => number) => milliseconds(median(rounds.map(read)))
  return { p50: middle(({ p50Ms }) => p50Ms), p99: middle(({ p99Ms }) => p99Ms) }
}

/** What an item achieved beside other items of the same rounds. */
export function loadRows(
  samples: Samples,
  name: string,
  references: readonly { readonly name: string; readonly bar?: Bar }[],
): Row[] {
  const rates = (item: string) => samplesOf(samples, item).map(({ perSecond }) => perSecond)
  const comparisons = references.map(({ name: against, bar }) =>
    comparisonCells({ ours: rates(name), theirs: rates(against), against, ...(bar && { bar }) }),
  )
  const [first, ...others] = comparisons
  return [{ ...loadRow(samples, name), ...first }, ...others.map((cells) => ({ what: '', ...cells }))]
}

export function samplesOf(samples: Samples, name: string): readonly Sample[] {
  const own = samples.get(name)
  if (own === undefined || own.length === 0) throw new Error(`Nothing is called ${name}`)
  return own
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`
}

/** Below a hundredth, in microseconds. */
export function milliseconds(value: number): string {
  return value < 0.01 ? `${(value * 1000).toFixed(1)} µs` : `${value.toFixed(2)} ms`
}

function more(ms: number): string {
  return `${ms < 0 ? '' : '+'}${ms.toFixed(2)} ms`
}

export function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString('en')}/s`
}
