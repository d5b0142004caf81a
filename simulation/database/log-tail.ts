import { type Entry, type Timers, Unavailable } from '@rescind/protocol'
import type { Random } from '../random.ts'
import type { DatabaseBehaviour } from './database-faults.ts'

interface Deps {
  readonly entriesAfter: (seq: number, limit: number) => Promise<Entry[]>
  readonly timers: Timers
  readonly random: Random
  readonly behaviour: () => DatabaseBehaviour
  readonly deliver: (entries: readonly Entry[]) => void
  /** What was committed cannot be handed on. */
  readonly failed: (cause: unknown) => void
}

/** Reads the log of one node to its end, again and again. A hint makes it look earlier; the polls alone are enough. */
export class LogTail {
  readonly #deps: Deps
  readonly #waiters: { readonly seq: number; readonly reached: () => void }[] = []
  #seq: number
  #looking = false
  #lookAgain = false
  #stopped = false

  constructor(deps: Deps, afterSeq: number) {
    this.#deps = deps
    this.#seq = afterSeq
  }

  /**
   * Resolves when everything that is there now was delivered.
   *
   * @throws Unavailable when the database cannot be reached
   */
  async start(): Promise<void> {
    this.#looking = true
    try {
      await this.#catchUp()
    } finally {
      this.#looking = false
    }
    this.#poll()
  }

  stop(): void {
    this.#stopped = true
  }

  /** There may be new entries. */
  async look(): Promise<void> {
    this.#lookAgain = true
    if (this.#looking) return
    this.#looking = true
    try {
      while (this.#lookAgain && !this.#stopped) {
        this.#lookAgain = false
        await this.#catchUp()
      }
    } catch (error) {
      // The next poll tries again.
      if (!(error instanceof Unavailable)) this.#fail(error)
    } finally {
      this.#looking = false
    }
  }

  /** Resolves when the entry `seq` has been delivered. */
  reached(seq: number): Promise<void> {
    if (this.#seq >= seq) return Promise.resolve()
    return new Promise((reached) => this.#waiters.push({ seq, reached }))
  }

  async #catchUp(): Promise<void> {
    for (;;) {
      const limit = Math.max(1, Math.round(this.#deps.random.within(this.#deps.behaviour().chunk)))
      const entries = await this.#deps.entriesAfter(this.#seq, limit)
      const last = entries.at(-1)
      if (last === undefined || this.#stopped) return
      this.#deps.deliver(entries)
      this.#seq = last.seq
      const waiting = this.#waiters.splice(0)
      for (const waiter of waiting) {
        if (waiter.seq <= this.#seq) waiter.reached()
        else this.#waiters.push(waiter)
      }
      if (entries.length < limit) return
    }
  }

  #poll(): void {
    this.#deps.timers.after(this.#deps.random.within(this.#deps.behaviour().pollMs), () => {
      if (this.#stopped) return
      if (!this.#looking) this.look()
      this.#poll()
    })
  }

  #fail(cause: unknown): void {
    this.#stopped = true
    this.#deps.failed(cause)
  }
}
