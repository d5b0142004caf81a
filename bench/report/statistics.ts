/** @param sorted ascending, not empty */
function percentile(sorted: readonly number[], fraction: number): number {
  const index = Math.ceil(sorted.length * fraction) - 1
  return sorted[Math.max(0, index)] ?? Number.NaN
}

/** How long something took that was done many times. */
export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
}

/** @param tookMs not empty, in any order */
export function latency(tookMs: readonly number[]): Latency {
  const sorted = [...tookMs].sort((a, b) => a - b)
  return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) }
}

/** @param values not empty, in any order */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}
