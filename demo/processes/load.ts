import { setTimeout as pause } from 'node:timers/promises'
import type { Verifier } from '@rescind/verifier'
import { machineMs } from '../machine-ms.ts'
import type { VerifierReport } from '../model/verifier-report.ts'
import { Timings } from './timings.ts'
import { WatchedToken } from './watched-token.ts'

/** Verifications of the current token between two pauses of a millisecond: eight processes have two cores to share. */
const BURST = 16

/** Tokens that are still tried. */
const WATCHED = 20

/** What speeds are measured over, at least. */
const MEASURED_MS = 200

type Speed = Pick<VerifierReport, 'checksPerSecond' | 'medianUs' | 'p99Us'>

/** Verifies the current token without end, and with it, one after the other, those that came before. */
export class Load {
  readonly #verifier: Verifier
  readonly #onNews: () => void
  readonly #timings = new Timings()
  readonly #counts = { valid: 0, rejected: 0, undecided: 0 }
  #watched: WatchedToken[] = []
  #rounds = 0
  #speed: Speed = { checksPerSecond: 0, medianUs: null, p99Us: null }
  #measuredMs = machineMs()

  /** @param onNews called when the verdict on a token becomes another one */
  constructor(verifier: Verifier, onNews: () => void) {
    this.#verifier = verifier
    this.#onNews = onNews
  }

  verifyFromNowOn(number: number, token: string): void {
    this.#watched = [new WatchedToken(number, token), ...this.#watched].slice(0, WATCHED)
  }

  async run(): Promise<never> {
    for (;;) {
      const [current, ...dead] = this.#watched
      const earlier = dead[this.#rounds % dead.length]
      if (earlier !== undefined) await this.#verify(earlier)
      for (let left = BURST; current !== undefined && left > 0; left -= 1) await this.#verify(current)
      this.#rounds += 1
      await pause(1)
    }
  }

  report(): VerifierReport {
    const atMs = machineMs()
    const { valid, rejected, undecided } = this.#counts
    return {
      atMs,
      ...this.#measure(atMs),
      leaseLeftMs: this.#verifier.status().leaseLeftMs,
      accepted: valid,
      refused: rejected,
      undecided,
      tokens: this.#watched.flatMap(({ seen }) => seen ?? []),
    }
  }

  /** What comes with news is as measured last: there would be too little to measure since then. */
  #measure(nowMs: number): Speed {
    const sinceMs = nowMs - this.#measuredMs
    if (sinceMs >= MEASURED_MS) {
      const { count, ...times } = this.#timings.take()
      this.#speed = { checksPerSecond: (count / sinceMs) * 1000, ...times }
      this.#measuredMs = nowMs
    }
    return this.#speed
  }

  async #verify(watched: WatchedToken): Promise<void> {
    const beganMs = machineMs()
    const { status } = await this.#verifier.verify(watched.token)
    const endedMs = machineMs()
    this.#timings.add((endedMs - beganMs) * 1000)
    this.#counts[status] += 1
    if (watched.note(status, beganMs, endedMs)) this.#onNews()
  }
}
