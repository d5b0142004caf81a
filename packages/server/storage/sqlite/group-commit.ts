import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type Entry, Unavailable } from '@rescind/protocol'
import { isEngineFault } from './engine-fault.ts'
import { UnitScope } from './unit-scope.ts'

/** Bounds how long the event loop is held, and how many units share the fate of one commit. */
const MAX_BATCH = 512

interface QueuedUnit {
  /** Resolves to what settles the unit once its batch is durable. */
  readonly run: (scope: UnitScope) => Promise<() => void>
  readonly reject: (error: unknown) => void
}

/**
 * Runs all units that arrive within one turn of the event loop in one transaction, one after the other, each under a
 * savepoint of its own: a unit that throws leaves nothing behind and the others share one durable commit. No unit
 * settles before the commit is durable and its entries were handed on.
 *
 * A fault of the engine before the commit undoes the batch and the next one may succeed. A fault of the commit itself
 * leaves open what is on the disk; nothing is promised from then on.
 */
export class GroupCommit {
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #rollback: StatementSync
  readonly #savepoint: StatementSync
  readonly #rollbackUnit: StatementSync
  readonly #release: StatementSync
  readonly #db: DatabaseSync
  readonly #committed: (entries: readonly Entry[]) => void

  #queue: QueuedUnit[] = []
  #scheduled = false
  /** Resolves at the end of the batch that is running. */
  #running: Promise<void> | undefined
  #failure: Unavailable | undefined
  readonly #failed = Promise.withResolvers<Unavailable>()

  /** @param committed is given the entries of each batch right after its commit; if it throws, the storage has failed. */
  constructor(db: DatabaseSync, committed: (entries: readonly Entry[]) => void) {
    this.#db = db
    this.#committed = committed
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
    this.#rollback = db.prepare('ROLLBACK')
    this.#savepoint = db.prepare('SAVEPOINT unit')
    this.#rollbackUnit = db.prepare('ROLLBACK TO unit')
    this.#release = db.prepare('RELEASE unit')
  }

  /** Resolves when a commit failed, or what was committed could not be handed on. */
  get failed(): Promise<Unavailable> {
    return this.#failed.promise
  }

  /** Set once {@link failed} has resolved. */
  get failure(): Unavailable | undefined {
    return this.#failure
  }

  /** Resolves when no batch is running: the connection then shows committed rows only. `undefined` when that is now. */
  get running(): Promise<void> | undefined {
    return this.#running
  }

  /**
   * Runs a unit in the next batch.
   *
   * @param durable is given what the unit returned once its batch is durable, before the next one can begin. It must not throw.
   * @throws Unavailable when the batch could not be made durable
   */
  submit<T>(run: (scope: UnitScope) => Promise<T>, durable?: (value: T) => void): Promise<T> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({
        run: async (scope) => {
          const value = await run(scope)
          return () => {
            durable?.(value)
            resolve(value)
          }
        },
        reject,
      })
      this.#schedule()
    })
  }

  /** Resolves when everything that was submitted has settled. */
  async drained(): Promise<void> {
    while (this.#failure === undefined && (this.#running || this.#queue.length > 0)) {
      await (this.#running ?? new Promise((resolve) => setImmediate(resolve)))
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#running || this.#queue.length === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#running = this.#runBatch(this.#queue.splice(0, MAX_BATCH)).finally(() => {
        this.#running = undefined
        this.#schedule()
      })
    })
  }

  async #runBatch(units: readonly QueuedUnit[]): Promise<void> {
    const entries: Entry[] = []
    const settlements: (() => void)[] = []
    try {
      this.#begin.run()
      for (const unit of units) settlements.push(await this.#runUnit(unit, entries))
    } catch (cause) {
      this.#undo(units, cause)
      return
    }
    try {
      this.#commit.run()
      if (entries.length > 0) this.#committed(entries)
    } catch (cause) {
      this.#fail(units, cause)
      return
    }
    for (const settle of settlements) settle()
  }

  /** @returns how the unit settles once the batch is durable. Throws what spoils the whole batch. */
  async #runUnit(unit: QueuedUnit, entries: Entry[]): Promise<() => void> {
    this.#savepoint.run()
    const scope = new UnitScope()
    try {
      const settle = await scope.runUnit(() => unit.run(scope))
      this.#release.run()
      entries.push(...scope.entries)
      return settle
    } catch (error) {
      if (scope.fault) throw scope.fault.cause
      if (isEngineFault(error)) throw error
      this.#rollbackUnit.run()
      this.#release.run()
      return () => unit.reject(error)
    }
  }

  #undo(units: readonly QueuedUnit[], cause: unknown): void {
    try {
      if (this.#db.isTransaction) this.#rollback.run()
    } catch (rollbackCause) {
      this.#fail(units, rollbackCause)
      return
    }
    const unavailable = new Unavailable('storage_unavailable', { cause })
    for (const unit of units) unit.reject(unavailable)
  }

  #fail(units: readonly QueuedUnit[], cause: unknown): void {
    this.#failure = new Unavailable('storage_unavailable', { cause })
    this.#failed.resolve(this.#failure)
    for (const unit of [...units, ...this.#queue.splice(0)]) unit.reject(this.#failure)
  }
}
