import type { RunClock } from '../run-clock.ts'
import type { Attempt, Ending, EndingTarget, FaultRecord, KnownToken } from './run-history.ts'

/** Notes what is done to a service while a run goes on. */
export class RunRecorder {
  readonly #clock: RunClock
  readonly tokens: KnownToken[] = []
  readonly endings: Ending[] = []
  readonly faults: FaultRecord[] = []
  /** Endings that were answered at least once. */
  answered = 0

  constructor(clock: RunClock) {
    this.#clock = clock
  }

  /** @returns its number */
  addToken(token: KnownToken): number {
    return this.tokens.push(token) - 1
  }

  /** @returns notes one attempt; the request is sent by `send`, which tells when its answer arrived */
  addEnding(target: EndingTarget): (send: () => Promise<AttemptEnd>) => Promise<Attempt['outcome']> {
    const attempts: Attempt[] = []
    this.endings.push({ target, attempts })
    return async (send) => {
      const sentNs = this.#clock.nowNs()
      const { outcome, endedNs } = await send()
      if (outcome === 'answered' && !attempts.some((each) => each.outcome === 'answered')) this.answered += 1
      attempts.push({ sentNs, endedNs, outcome })
      return outcome
    }
  }

  /** Notes a fault for as long as `strike` takes. */
  async during(fault: Pick<FaultRecord, 'kind' | 'verifier'>, strike: () => Promise<void>): Promise<void> {
    const beganNs = this.#clock.nowNs()
    await strike()
    this.faults.push({ ...fault, beganNs, endedNs: this.#clock.nowNs() })
  }
}

/** How an attempt ended, and when. */
export type AttemptEnd = Pick<Attempt, 'outcome' | 'endedNs'>
