import type { Clocks, Instant, Timers } from '@rescind/protocol'

interface Timer {
  readonly atMs: number
  readonly run: () => void
}

/** Both clocks and the timers of one process, moved by hand. */
export class ManualTime implements Clocks, Timers {
  #monotonicMs = 1_000_000
  #wallMs = 1_893_456_000_000
  readonly #timers = new Set<Timer>()

  monotonicMs(): number {
    return this.#monotonicMs
  }

  nowMs(): number {
    return this.#wallMs
  }

  get now(): Instant {
    return { monotonicMs: this.#monotonicMs, wallMs: this.#wallMs }
  }

  /** Timers that have neither run nor been cancelled. */
  get pending(): number {
    return this.#timers.size
  }

  after(delayMs: number, run: () => void): () => void {
    // A timer of Node takes a millisecond at least.
    const timer = { atMs: this.#monotonicMs + Math.max(1, Math.ceil(delayMs)), run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Lets time pass and runs what falls due in it, in order. */
  advance(ms: number): void {
    const untilMs = this.#monotonicMs + ms
    for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) this.#fire(timer)
    this.#pass(untilMs - this.#monotonicMs)
  }

  /** As {@link advance}, and after each timer lets everything run that was waiting for a promise. */
  async settle(ms = 0): Promise<void> {
    const untilMs = this.#monotonicMs + ms
    await settled()
    for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) {
      this.#fire(timer)
      await settled()
    }
    this.#pass(untilMs - this.#monotonicMs)
  }

  /** The machine sleeps: the monotonic clock stands still, the wall clock goes on, and no timer runs. */
  suspend(ms: number): void {
    this.#wallMs += ms
  }

  /** Sets the wall clock forward, or back when negative. */
  stepWall(byMs: number): void {
    this.#wallMs += byMs
  }

  #next(untilMs: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) if (timer.atMs <= untilMs && timer.atMs < (next?.atMs ?? Infinity)) next = timer
    return next
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer)
    this.#pass(Math.max(0, timer.atMs - this.#monotonicMs))
    timer.run()
  }

  #pass(ms: number): void {
    this.#monotonicMs += ms
    this.#wallMs += ms
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
