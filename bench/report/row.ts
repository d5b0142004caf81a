import type { Sample, Samples } from '../load/rounds.ts'
import { median } from './statistics.ts'

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

/** What an item achieved, in a line of its own. */
export function loadRow(samples: Samples, name: string): Row {
  const own = samplesOf(samples, name)
  const middle = (read: (sample: Sample) => number) => median(own.map(read))
  return {
    what: name,
    figure: `${Math.round(middle((sample) => sample.perSecond)).toLocaleString('en')}/s`,
    p50: `${middle((sample) => sample.p50Ms).toFixed(2)} ms`,
    p99: `${middle((sample) => sample.p99Ms).toFixed(2)} ms`,
  }
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

function samplesOf(samples: Samples, name: string): readonly Sample[] {
  const own = samples.get(name)
  if (own === undefined || own.length === 0) throw new Error(`Nothing is called ${name}`)
  return own
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`
}
