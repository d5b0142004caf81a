import type { Random } from '../random.ts'
import { FAULT_KIND_LIST, FAULT_KINDS, type FaultKind } from './fault-kinds.ts'

/** One fault that is to strike. */
export interface PlannedFault {
  readonly kind: FaultKind
  /** Number of the verifier, or of the service process. */
  readonly target: number
  /** Since the faults began. */
  readonly atMs: number
  /** How long it lasts; before a process is started again, for one that is killed. */
  readonly lastsMs: number
  /** Of what is delayed, one way. */
  readonly delayMs: number
  /** Of what is silenced: whether it arrives in the end. */
  readonly isKept: boolean
}

interface PlanOptions {
  readonly verifiers: number
  readonly services: number
  readonly leaseMs: number
}

/** How long faults last, in leases. */
const LASTS = { least: 0.5, most: 3 } as const
/** How long after its end a process of the service is started again, in leases. */
const DOWN = { least: 0, most: 0.75 } as const
/** Between one fault and the next, in leases. */
const GAP = { least: 0.1, most: 0.5 } as const

/**
 * Faults without end, in the order in which they strike; the same for the same numbers drawn. They come in rounds of one
 * of each kind, so that none is rare.
 */
export function* planFaults(random: Random, options: PlanOptions): Generator<PlannedFault, never> {
  const { leaseMs } = options
  const freeFromMs = new Map<string, number>()
  let nowMs = 0
  for (;;) {
    for (const kind of random.shuffled(FAULT_KIND_LIST)) {
      nowMs += random.between(GAP.least, GAP.most) * leaseMs
      const takes = FAULT_KINDS[kind]
      const count = takes === 'service' ? options.services : options.verifiers
      const { least, most } = takes === 'service' ? DOWN : LASTS
      const lastsMs = random.between(least, most) * leaseMs
      const freeMs = (each: number) => freeFromMs.get(`${takes} ${each}`) ?? 0
      const [target = 0] = random
        .shuffled(Array.from({ length: count }, (_, each) => each))
        .toSorted((one, other) => Math.max(nowMs, freeMs(one)) - Math.max(nowMs, freeMs(other)))
      nowMs = Math.max(nowMs, freeMs(target))
      freeFromMs.set(`${takes} ${target}`, nowMs + lastsMs)
      const delayMs = random.between(0.01, 0.6) * leaseMs
      yield { kind, target, atMs: nowMs, lastsMs, delayMs, isKept: random.chance(0.5) }
    }
  }
}
