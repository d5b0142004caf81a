import type { Random } from '../random.ts'
import { CRASHES, FAULT_KINDS, type FaultKind, type Taken } from './fault-kinds.ts'

/** One fault that is to strike. */
export interface PlannedFault {
  readonly kind: FaultKind
  /** Number of what it takes hold of. */
  readonly target: number
  /** Since the faults began. */
  readonly atMs: number
  /** How long it lasts; before a process is started again, for one that is killed. */
  readonly lastsMs: number
  /** Afterwards, before anything else takes hold of the same. */
  readonly restMs: number
  /** Of what is delayed, one way. */
  readonly delayMs: number
  /** Of what is silenced: whether it arrives in the end. */
  readonly isKept: boolean
  /** Of several that one is taken of: where in their row it is, from 0 to less than 1. */
  readonly share: number
}

interface PlanOptions {
  /** Of one round; one that is named twice strikes twice in it. */
  readonly round: readonly FaultKind[]
  /** How many there are of what faults take hold of. */
  readonly counts: Readonly<Record<Taken, number>>
  readonly leaseMs: number
}

/** How long faults last, in leases. */
const LASTS = { least: 0.5, most: 3 } as const
/** How long after its end a process is started again, in leases. */
const DOWN = { least: 0, most: 0.75 } as const
/** How long a database is left alone after each fault, in leases: without it nothing is done that could be lost. */
const REST = 0.5
/** Between one fault and the next, in leases. */
const GAP = { least: 0.1, most: 0.5 } as const

/**
 * Faults without end, in the order in which they strike; the same for the same numbers drawn. They come in rounds, so
 * that no kind is rare.
 */
export function* planFaults(random: Random, { round, counts, leaseMs }: PlanOptions): Generator<PlannedFault, never> {
  const freeFromMs = new Map<string, number>()
  let nowMs = 0
  for (;;) {
    for (const kind of random.shuffled(round)) {
      nowMs += random.between(GAP.least, GAP.most) * leaseMs
      const takes = FAULT_KINDS[kind]
      const { least, most } = CRASHES.has(kind) ? DOWN : LASTS
      const lastsMs = random.between(least, most) * leaseMs
      const freeMs = (each: number) => freeFromMs.get(`${takes} ${each}`) ?? 0
      const [target = 0] = random
        .shuffled(Array.from({ length: counts[takes] }, (_, each) => each))
        .toSorted((one, other) => Math.max(nowMs, freeMs(one)) - Math.max(nowMs, freeMs(other)))
      nowMs = Math.max(nowMs, freeMs(target))
      const restMs = takes === 'database' ? REST * leaseMs : 0
      freeFromMs.set(`${takes} ${target}`, nowMs + lastsMs + restMs)
      const delayMs = random.between(0.01, 0.6) * leaseMs
      const [isKept, share] = [random.chance(0.5), random.between(0, 1)]
      yield { kind, target, atMs: nowMs, lastsMs, restMs, delayMs, isKept, share }
    }
  }
}
