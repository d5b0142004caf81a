import { CRASHES, FAULT_KIND_LIST, FAULT_KINDS, type FaultKind, type Taken } from './fault-kinds.ts'

/** What crashes does so more often than all else, where others go on without it. A failover takes the longest. */
const CRASHES_EACH = 3

/**
 * Every kind of fault that there is something to take hold of, some of them more than once.
 *
 * @param counts how many there are of what faults take hold of
 */
export function roundOfFaults(counts: Readonly<Record<Taken, number>>): FaultKind[] {
  const possible = FAULT_KIND_LIST.filter((kind) => counts[FAULT_KINDS[kind]] > 0)
  const timesOf = (kind: FaultKind) =>
    counts.service > 1 && CRASHES.has(kind) && kind !== 'failover' ? CRASHES_EACH : 1
  return possible.flatMap((kind) => Array.from({ length: timesOf(kind) }, () => kind))
}
