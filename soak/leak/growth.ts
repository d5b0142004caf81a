import type { MemorySample } from './memory-sample.ts'

/** How one kind of memory developed. In bytes. */
export interface Growth {
  readonly of: keyof MemorySample
  /** Mean of the first samples that count, and of the last ones. */
  readonly first: number
  readonly last: number
  /** By how much it grew steadily; negative when it shrank. */
  readonly steady: number
  readonly tolerated: number
  readonly isFlat: boolean
}

const MB = 1024 * 1024

/** What waits to be told to the service comes and goes; what a process has once used of other memory, it returns late. */
const TOLERATED = { heap: 1.5 * MB, external: 0.4 * MB, rss: 4 * MB } as const

/** Whatever fills up in this share of the time, at the beginning, is no leak. */
const WARM_UP = 0.2
const BLOCKS = 6

/**
 * How much memory was leaked. What leaks grows all the time, by about as much in one part of the samples as in the next:
 * the median of what it grew by from part to part counts, as often as that was. One that grows once, such as the space
 * for new objects, does not count.
 *
 * @throws RangeError when there are too few samples to tell
 */
export function growthOf(samples: readonly MemorySample[]): Growth[] {
  const size = Math.floor((samples.length * (1 - WARM_UP)) / BLOCKS)
  if (size === 0) throw new RangeError(`${samples.length} samples are too few`)
  const counted = samples.slice(-size * BLOCKS)
  const blocks = Array.from({ length: BLOCKS }, (_, block) => counted.slice(block * size, (block + 1) * size))
  return (['heap', 'external', 'rss'] as const).map((of) => {
    const means = blocks.map((block) => block.reduce((sum, sample) => sum + sample[of], 0) / size)
    const increments = means.slice(1).map((mean, before) => mean - (means[before] ?? 0))
    const [first = 0] = means
    const steady = median(increments) * increments.length
    return { of, first, last: means.at(-1) ?? 0, steady, tolerated: TOLERATED[of], isFlat: steady <= TOLERATED[of] }
  })
}

/** Of an odd number. */
function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
}
