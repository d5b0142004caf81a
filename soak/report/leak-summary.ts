import type { LeakOutcome } from '../leak/leak-check.ts'

/** What a leak check did and found, for people. */
export function leakSummary({ samples, growth, counters, revocations }: LeakOutcome): string {
  const { valid, rejected, undecided, asked, connections, lapses } = counters
  return [
    `${valid} valid, ${rejected} rejected, ${undecided} undecided, ${asked} asked`,
    `${connections} connections, ${lapses} lapses, ${revocations} revocations`,
    `${samples.length} samples, in MB: heap, external, rss`,
    ...samples.map(({ heap, external, rss }) => [heap, external, rss].map(megabytes).join('  ')),
    ...growth.map(
      ({ of, first, last, steady, tolerated, isFlat }) =>
        `${of}: from ${megabytes(first)} to ${megabytes(last)}, ${megabytes(steady)} of it steadily, ` +
        `${megabytes(tolerated)} tolerated: ${isFlat ? 'flat' : 'GROWS'}`,
    ),
  ].join('\n')
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(2)
}
