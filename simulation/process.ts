import type { Clocks, Timers } from '@rescind/protocol'
import type { PlannedEvent } from './event-heap.ts'
import { ProcessClock } from './process-clock.ts'
import type { Random, Range } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** What stops: the process alone, so that both of its clocks go on; or its machine, so that the monotonic clock stands still. */
export type Suspension = 'process' | 'machine'

/** Most that a timer is late when nothing keeps it. */
const TIMER_LATENESS_MS: Range = [0.001, 1]

interface Timer {
  readonly dueMs: number
  readonly run: () => void
  event: PlannedEvent | undefined
}

/**
 * One process: its clocks and timers, and the gate that everything from outside passes to reach its code. While it is
 * suspended all of that waits; once it has ended nothing reaches it any more.
 */
export class SimulatedProcess {
  readonly id: string
  readonly clock: ProcessClock
  /** What the code of the process is given. Reading the monotonic clock is where it may stall. */
  readonly clocks: Clocks
  readonly timers: Timers
  /** How likely the process stands still for a while right after it read its monotonic clock, in the middle of its code. */
  stalls: { readonly chance: number; readonly ms: Range } = { chance: 0, ms: [0, 0] }

  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #endListeners: (() => void)[] = []
  /** By lane, in the order they came; timers by due time. */
  readonly #waiting = new Map<number, (() => void)[]>()
  #dueTimers: Timer[] = []
  #suspendedUntilMs = 0
  /** Up to here the code has run already, and what it did is on its way. */
  #stalledUntilMs = 0
  #suspended = false
  #ended = false

  constructor(scheduler: Scheduler, random: Random, id: string) {
    this.id = id
    this.#scheduler = scheduler
    this.#random = random.fork(`process ${id}`)
    this.clock = new ProcessClock(this.#random.fork('clock'), () => this.trueMs)
    this.clocks = {
      nowMs: () => this.clock.nowMs(),
      monotonicMs: () => {
        const readMs = this.clock.monotonicMs()
        if (this.#random.chance(this.stalls.chance)) this.stall(this.#random.within(this.stalls.ms))
        return readMs
      },
    }
    this.timers = { after: (delayMs, run) => this.#startTimer(delayMs, run) }
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Neither suspended nor ended. */
  get running(): boolean {
    return !this.#suspended && !this.#ended
  }

  /** The true time that the code of the process has come to: ahead of everything else after it stalled. */
  get trueMs(): number {
    return Math.max(this.#scheduler.nowMs, this.#suspendedUntilMs)
  }

  /**
   * Brings something from outside: now, or when the process goes on.
   *
   * @param lane what comes on the same lane comes in order
   */
  deliver(run: () => void, lane = 0): void {
    if (this.#ended) return
    if (!this.#suspended) {
      run()
      return
    }
    const waiting = this.#waiting.get(lane)
    if (waiting === undefined) this.#waiting.set(lane, [run])
    else waiting.push(run)
  }

  /** Suspends the process between two true times. */
  suspend(fromMs: number, toMs: number, kind: Suspension): void {
    this.#scheduler.at(fromMs, () => {
      if (this.#ended || toMs <= this.#scheduler.nowMs) return
      if (kind === 'machine') this.clock.standStill(this.trueMs, Math.max(toMs, this.trueMs))
      this.#suspendUntil(toMs)
    })
  }

  /**
   * Stops the process for a while right here, in the middle of its code: what this does next, it does that much later.
   * Only from the code of the process itself.
   */
  stall(forMs: number, kind: Suspension = 'process'): void {
    const fromMs = this.trueMs
    if (kind === 'machine') this.clock.standStill(fromMs, fromMs + forMs)
    this.#suspendUntil(fromMs + forMs)
    this.#stalledUntilMs = this.#suspendedUntilMs
  }

  /** The process is gone, with everything it had not sent yet; where it has stalled, as soon as it goes on. */
  end(): void {
    if (this.#ended) return
    if (this.#stalledUntilMs > this.#scheduler.nowMs) {
      this.#scheduler.at(this.#stalledUntilMs, () => this.end())
      return
    }
    this.#ended = true
    this.#waiting.clear()
    this.#dueTimers = []
    for (const ended of this.#endListeners.splice(0)) ended()
  }

  onEnd(ended: () => void): void {
    this.#endListeners.push(ended)
  }

  #suspendUntil(toMs: number): void {
    this.#suspendedUntilMs = Math.max(this.#suspendedUntilMs, toMs)
    this.#suspended = true
    this.#scheduler.at(this.#suspendedUntilMs, () => this.#resume())
  }

  /** Everything that waited happens now, each lane in order, the lanes and the timers among each other in any. */
  #resume(): void {
    if (!this.#suspended || this.#ended || this.#scheduler.nowMs < this.#suspendedUntilMs) return
    this.#suspended = false
    const lanes: { readonly lane: number; readonly runs: readonly (() => void)[]; at: number }[] = []
    for (const [lane, runs] of this.#waiting) lanes.push({ lane, runs, at: 0 })
    const timers = this.#dueTimers.sort((one, other) => one.dueMs - other.dueMs)
    lanes.push({ lane: 0, runs: timers.map((timer) => () => this.#fire(timer)), at: 0 })
    this.#waiting.clear()
    this.#dueTimers = []
    let left = lanes.filter(({ runs }) => runs.length > 0)
    while (left.length > 0) {
      const next = this.#random.pick(left)
      const run = next.runs[next.at++]
      if (run !== undefined) this.#scheduler.at(this.#scheduler.nowMs, () => this.deliver(run, next.lane))
      left = left.filter(({ runs, at }) => at < runs.length)
    }
  }

  #startTimer(delayMs: number, run: () => void): () => void {
    const timer: Timer = { dueMs: this.clock.monotonicMs() + Math.max(0, delayMs), run, event: undefined }
    this.#plan(timer)
    return () => {
      if (timer.event) this.#scheduler.cancel(timer.event)
      timer.event = undefined
    }
  }

  #plan(timer: Timer): void {
    const atMs = Math.max(this.clock.trueAt(timer.dueMs), this.trueMs) + this.#random.within(TIMER_LATENESS_MS)
    timer.event = this.#scheduler.at(atMs, () => this.#fire(timer))
  }

  #fire(timer: Timer): void {
    if (timer.event === undefined || this.#ended) return
    if (this.#suspended) {
      this.#dueTimers.push(timer)
    } else if (this.clock.monotonicMs() < timer.dueMs) {
      this.#plan(timer)
    } else {
      timer.event = undefined
      timer.run()
    }
  }
}
