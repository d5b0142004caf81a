import type { Verification } from '../history/verification.ts'

/** Whether one verifier, over all its processes, decided when it should have been able to. */
export class Progress {
  readonly #sweepFromNs: number
  readonly #swept = new Set<number>()
  #lastDecidedNs = Number.NEGATIVE_INFINITY
  accepted = 0
  rejected = 0

  constructor(sweepFromNs: number | null) {
    this.#sweepFromNs = sweepFromNs ?? Number.POSITIVE_INFINITY
  }

  add({ token, beganNs, outcome }: Verification): void {
    if (outcome.status === 'undecided') return
    if (outcome.status === 'valid') this.accepted += 1
    else this.rejected += 1
    if (beganNs > this.#lastDecidedNs) this.#lastDecidedNs = beganNs
    if (beganNs >= this.#sweepFromNs) this.#swept.add(token)
  }

  /** Whether a verification that began later was decided. */
  decidedAfter(ns: number): boolean {
    return this.#lastDecidedNs > ns
  }

  /** Tokens that were decided about in the sweep. */
  get swept(): number {
    return this.#swept.size
  }
}
