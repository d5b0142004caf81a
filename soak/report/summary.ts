import type { Percentiles } from '../check/revocation-times.ts'
import { VIOLATIONS, type ViolationKind } from '../check/violation.ts'
import type { SoakOutcome } from '../soak.ts'

/** What a run did and found, for people. */
export function summary({ findings, shortcomings, ...run }: SoakOutcome): string {
  const { tally, revocations, faults, violations } = findings
  const kinds = [...faults].map(([kind, { struck, revocations: during }]) => [kind, struck, during])
  const rows = [
    ['verifications', tally.verifications],
    ['  accepted', tally.accepted],
    ['  rejected', tally.rejected],
    ['  undecided', tally.undecided],
    ...[...tally.reasons].toSorted().map(([reason, count]) => [`    ${reason}`, count]),
    ['  begun within 100 ms after the 201 of their token', tally.soonAfter],
    ['  accepted, begun before that 201 and ended after it', tally.acceptedAcross],
    ['revocations answered', revocations.answered],
    ['  of a member or a business', revocations.bulk],
    ['  requests: all / 503 / no answer', `${revocations.attempts} / ${revocations.refused} / ${revocations.broken}`],
    ['  answered after, ms: p50 / p99 / most', times(revocations.answerMs)],
    ['  the same, from the first attempt', times(revocations.wholeMs)],
    ['connections / lapses / questions of verifiers', `${run.connections} / ${run.lapses} / ${run.asked}`],
    ['faults (and revocations under way during them)', kinds.reduce((sum, [, struck]) => sum + Number(struck), 0)],
    ['  SIGKILL of services and their database', run.crashes],
    ...kinds.toSorted().map(([kind, struck, during]) => [`  ${kind}`, `${struck} (${during})`]),
    ['seconds', Math.round(run.tookMs / 1000)],
  ]
  const verdict = [
    ...violations.described.map(({ kind, where }) => `VIOLATION ${kind}: ${where}`),
    ...Object.entries(VIOLATIONS)
      .map(([kind, about]) => ({ about, count: violations.count(kind as ViolationKind) }))
      .filter(({ count }) => count > 0)
      .map(({ about, count }) => `${count} ×: ${about}`),
    ...shortcomings.map((shortcoming) => `TOO LITTLE: ${shortcoming}`),
    `${violations.total} violations`,
  ]
  return [...rows.map(([what, value]) => `${`${what}`.padEnd(56)}${value}`), '', ...verdict, ''].join('\n')
}

function times({ p50, p99, max }: Percentiles): string {
  return [p50, p99, max].map((ms) => Math.round(ms)).join(' / ')
}
