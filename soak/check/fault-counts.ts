import type { Attempt, FaultRecord, RunHistory } from '../history/run-history.ts'

/** One kind of fault. */
export interface FaultCount {
  readonly struck: number
  /** Revocations that were sent and not answered yet at some time during it, added up over all that struck. */
  readonly revocations: number
}

export function faultCounts({ faults, endings }: Pick<RunHistory, 'faults' | 'endings'>): Map<string, FaultCount> {
  const attempts = endings.map((ending) => ending.attempts)
  const byKind = [...Map.groupBy(faults, ({ kind }) => kind)]
  return new Map(
    byKind.map(([kind, struck]) => [
      kind,
      { struck: struck.length, revocations: struck.reduce((sum, fault) => sum + inFlight(fault, attempts), 0) },
    ]),
  )
}

function inFlight({ beganNs, endedNs }: FaultRecord, revocations: readonly (readonly Attempt[])[]): number {
  const overlaps = (attempt: Attempt) => attempt.sentNs < endedNs && attempt.endedNs > beganNs
  return revocations.filter((attempts) => attempts.some(overlaps)).length
}
