import type { Clocks } from '@rescind/protocol'
import type { Random, Range } from './random.ts'

/** Of clocks, by true time. The fastest gains less than a tenth on the slowest. */
export const RATES: Range = [0.953, 1.047]

const WALL_START_MS = 1_700_000_000_000

/** One clock: a straight line over true time, from where it was last touched. */
class Line {
  #fromTrueMs: number
  #fromMs: number
  #rate: number

  constructor(trueMs: number, startMs: number, rate: number) {
    this.#fromTrueMs = trueMs
    this.#fromMs = startMs
    this.#rate = rate
  }

  at(trueMs: number): number {
    return trueMs <= this.#fromTrueMs ? this.#fromMs : this.#fromMs + (trueMs - this.#fromTrueMs) * this.#rate
  }

  /** When it will show `ms`, unless it is touched. */
  trueAt(ms: number): number {
    return this.#fromTrueMs + Math.max(0, ms - this.#fromMs) / this.#rate
  }

  setRate(trueMs: number, rate: number): void {
    this.#fromMs = this.at(trueMs)
    this.#fromTrueMs = Math.max(trueMs, this.#fromTrueMs)
    this.#rate = rate
  }

  step(byMs: number): void {
    this.#fromMs += byMs
  }

  standStill(fromTrueMs: number, toTrueMs: number): void {
    this.#fromMs = this.at(fromTrueMs)
    this.#fromTrueMs = toTrueMs
  }
}

/** The clocks of one process, by the true time that its code has come to. */
export class ProcessClock implements Clocks {
  readonly #random: Random
  readonly #trueMs: () => number
  readonly #monotonic: Line
  readonly #wall: Line

  constructor(random: Random, trueMs: () => number) {
    this.#random = random
    this.#trueMs = trueMs
    this.#monotonic = new Line(trueMs(), random.between(0, 1e6), random.within(RATES))
    const wrongByMs = random.chance(0.2) ? random.between(-3_600_000, 3_600_000) : random.between(-50, 50)
    this.#wall = new Line(trueMs(), WALL_START_MS + trueMs() + wrongByMs, random.within(RATES))
  }

  monotonicMs(): number {
    return this.#monotonic.at(this.#trueMs())
  }

  /** Whole milliseconds. */
  nowMs(): number {
    return Math.floor(this.#wall.at(this.#trueMs()))
  }

  /** The true time at which the monotonic clock will show `monotonicMs`, if it goes on as it does. */
  trueAt(monotonicMs: number): number {
    return this.#monotonic.trueAt(monotonicMs)
  }

  /** Gives both clocks other rates. */
  drift(): void {
    this.#monotonic.setRate(this.#trueMs(), this.#random.within(RATES))
    this.#wall.setRate(this.#trueMs(), this.#random.within(RATES))
  }

  /** Sets the wall clock forward, or back when negative. */
  stepWall(byMs: number): void {
    this.#wall.step(byMs)
  }

  /** The monotonic clock stands still between two true times, the wall clock goes on: the machine was suspended. */
  standStill(fromTrueMs: number, toTrueMs: number): void {
    this.#monotonic.standStill(fromTrueMs, toTrueMs)
  }
}
