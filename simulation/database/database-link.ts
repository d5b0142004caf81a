import { Unavailable } from '@rescind/protocol'
import type { SimulatedProcess } from '../process.ts'
import type { Random } from '../random.ts'
import type { Scheduler } from '../scheduler.ts'
import type { DatabaseBehaviour, DatabaseFault } from './database-faults.ts'

/** Where a statement hands in its answer, at once or later. */
export interface Answer<T> {
  ok(value: T): void
  failed(error: unknown): void
}

/** The way to the database. */
export interface DatabaseLink {
  /**
   * Sends a statement; `execute` runs in the database when it arrives.
   *
   * @throws Unavailable when no answer came in time; `execute` may have run, or may still run
   */
  ask<T>(execute: (answer: Answer<T>) => void): Promise<T>
  /** Sends a statement whose answer nobody waits for. */
  tell(execute: () => void): void
}

/** No way at all: every statement runs at once. For what happens before and beside the simulation. */
export const DIRECT_LINK: DatabaseLink = {
  ask: (execute) => new Promise((ok, failed) => execute({ ok, failed })),
  tell: (execute) => execute(),
}

interface Deps {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly behaviour: () => DatabaseBehaviour
  readonly struck: (fault: DatabaseFault, processId: string) => void
  /** Counts how often the data was replaced: what was sent to what was there before never arrives. */
  readonly replacements: () => number
}

/** The link of one process, which may be slow, lossy or cut. */
export class RemoteLink implements DatabaseLink {
  /** What vanishes: nothing, everything, or one direction. */
  cut: 'none' | 'both' | 'requests' | 'replies' = 'none'
  readonly #deps: Deps
  readonly #process: SimulatedProcess

  constructor(deps: Deps, process: SimulatedProcess) {
    this.#deps = deps
    this.#process = process
  }

  ask<T>(execute: (answer: Answer<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const question = new Question<T>(this, resolve, reject, this.#process.trueMs + this.#deps.behaviour().timeoutMs)
      const arrivesMs = this.#travel('request', this.#process.trueMs)
      if (arrivesMs === undefined) question.expire()
      else {
        const sentTo = this.#deps.replacements()
        this.#deps.scheduler.at(arrivesMs, () => {
          if (this.#deps.replacements() === sentTo) execute(question)
          else question.expire()
        })
      }
    })
  }

  tell(execute: () => void): void {
    const arrivesMs = this.#travel('request', this.#process.trueMs)
    if (arrivesMs !== undefined) this.#deps.scheduler.at(arrivesMs, execute)
  }

  /** Runs when the answer has come back; when it does not come in time, `expired` runs then. */
  reply(expiresMs: number, run: () => void, expired: () => void): void {
    const arrivesMs = this.#travel('reply', this.#deps.scheduler.nowMs)
    if (arrivesMs === undefined || arrivesMs > expiresMs) this.deliverAt(expiresMs, expired)
    else this.deliverAt(arrivesMs, run)
  }

  /**
   * Passes on what nobody asked for.
   *
   * @returns false when it does not arrive
   */
  notify(run: () => void): boolean {
    const arrivesMs = this.#travel('reply', this.#deps.scheduler.nowMs)
    if (arrivesMs !== undefined) this.deliverAt(arrivesMs, run)
    return arrivesMs !== undefined
  }

  deliverAt(atMs: number, run: () => void): void {
    this.#deps.scheduler.at(atMs, () => this.#process.deliver(run))
  }

  #travel(way: 'request' | 'reply', fromMs: number): number | undefined {
    const { random, struck } = this.#deps
    const { delayMs, spikeMs, delayChance, requestLossChance, replyLossChance } = this.#deps.behaviour().link
    if (this.cut === 'both' || this.cut === (way === 'request' ? 'requests' : 'replies')) {
      struck('db_partitioned', this.#process.id)
      return undefined
    }
    if (random.chance(way === 'request' ? requestLossChance : replyLossChance)) {
      struck(way === 'request' ? 'db_request_lost' : 'db_reply_lost', this.#process.id)
      return undefined
    }
    const arrivesMs = fromMs + random.within(delayMs)
    if (!random.chance(delayChance)) return arrivesMs
    struck('db_delayed', this.#process.id)
    return arrivesMs + random.within(spikeMs)
  }
}

/** One statement on its way, and whoever waits for its answer. */
class Question<T> implements Answer<T> {
  readonly #link: RemoteLink
  readonly #resolve: (value: T) => void
  readonly #reject: (error: unknown) => void
  readonly #expiresMs: number

  constructor(link: RemoteLink, resolve: (value: T) => void, reject: (error: unknown) => void, expiresMs: number) {
    this.#link = link
    this.#resolve = resolve
    this.#reject = reject
    this.#expiresMs = expiresMs
  }

  ok(value: T): void {
    this.#link.reply(this.#expiresMs, () => this.#resolve(value), this.#expired)
  }

  failed(error: unknown): void {
    this.#link.reply(this.#expiresMs, () => this.#reject(error), this.#expired)
  }

  expire(): void {
    this.#link.deliverAt(this.#expiresMs, this.#expired)
  }

  readonly #expired = () => this.#reject(new Unavailable('storage_unavailable'))
}
