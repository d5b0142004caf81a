import { EventHeap, type PlannedEvent } from './event-heap.ts'
import { drainMicrotasks, inMacrotask } from './microtasks.ts'
import { TraceHash } from './trace-hash.ts'

/**
 * True time, and everything that happens in it, one event after the other. An event has ended when all the promises it
 * settled have had their effect, so the same seed always leads to the same run.
 */
export class Scheduler {
  readonly #heap = new EventHeap()
  readonly #trace = new TraceHash()
  #nowMs = 0
  #planned = 0
  #steps = 0

  /** True time in milliseconds since the start. No process can see it. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Events that have happened. */
  get steps(): number {
    return this.#steps
  }

  /** Tells two runs apart. */
  get hash(): string {
    return this.#trace.value
  }

  /** Plans an event; at once when `atMs` is in the past. */
  at(atMs: number, run: () => void): PlannedEvent {
    const event = { atMs: atMs > this.#nowMs ? atMs : this.#nowMs, order: this.#planned++, run }
    this.#heap.push(event)
    return event
  }

  after(delayMs: number, run: () => void): PlannedEvent {
    return this.at(this.#nowMs + delayMs, run)
  }

  /** Harmless for an event that has happened. */
  cancel(event: PlannedEvent): void {
    event.run = undefined
  }

  /** Makes what happened part of {@link hash}. */
  trace(label: string, ...numbers: readonly number[]): void {
    this.#trace.text(label)
    for (const number of numbers) this.#trace.number(number)
  }

  /**
   * Lets the next event happen, and what follows from it. Only within {@link run}, or in a callback of Node's event loop.
   *
   * @returns false when there is none
   */
  runNext(): boolean {
    for (;;) {
      const event = this.#heap.pop()
      if (event === undefined) return false
      const { run } = event
      if (run === undefined) continue
      event.run = undefined
      this.#nowMs = event.atMs
      this.#steps++
      this.#trace.number(event.atMs)
      this.#trace.number(event.order)
      run()
      drainMicrotasks()
      return true
    }
  }

  /** Lets events happen until none is left, or `done` says so after one. Rejects with what an event throws. */
  run(done: () => boolean = () => false): Promise<void> {
    return inMacrotask(() => {
      drainMicrotasks()
      while (this.runNext() && !done()) {}
    })
  }

  /** Lets everything before `atMs` happen, and goes to that time. */
  runUntil(atMs: number): Promise<void> {
    let arrived = false
    this.at(atMs, () => {
      arrived = true
    })
    return this.run(() => arrived)
  }
}
