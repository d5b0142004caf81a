import type { Timers } from '@rescind/protocol'
import type { Pool } from 'pg'
import { withClient } from './connections.ts'
import { inTime } from './deadline.ts'
import type { HeadLock } from './head-lock.ts'
import type { Committed } from './log-tail.ts'
import type { PostgresTransaction } from './postgres-transaction.ts'
import type { PreparedStatements } from './prepared-statements.ts'
import { type Batch, type BatchUnit, runBatch } from './run-batch.ts'
import { isRetryable, unavailableOr } from './server-fault.ts'

interface GroupCommitDeps {
  readonly writer: Pool
  readonly statements: PreparedStatements
  readonly lockHead: HeadLock
  readonly timers: Timers
  /** Is told of each batch right after its commit. Resolves when everything that its units could see was handed on. */
  readonly committed: (batch: Committed) => Promise<void>
}

interface QueuedUnit extends BatchUnit {
  isLate: boolean
}

/** Bounds how long the head is locked, and how many units share the fate of one commit. */
const MAX_BATCH = 64
/** A batch that another transaction was in the way of is run so often. */
const ATTEMPTS = 5

/**
 * Runs all units that wait in one transaction, one after the other: a unit that throws leaves nothing behind and the
 * others share one durable commit. The transaction begins by locking the head of the log, so that no two of them run at
 * the same time, on whichever node. No unit settles before the commit is durable and all that it could see of the log
 * was handed on.
 *
 * What goes wrong with the server before the commit undoes the batch. When the answer to the commit is lost or comes
 * with a warning, it is not known what is durable: the units are told that the storage is unavailable. So is a unit that
 * waits for too long; if the head was not locked by then it is not run at all.
 */
export class GroupCommit {
  readonly #deps: GroupCommitDeps
  #queue: QueuedUnit[] = []
  #running: Promise<void> | undefined
  #scheduled = false

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps
  }

  /** @throws Unavailable when the batch could not be made durable, or not in time: then it may still become so */
  submit<T>(unit: (tx: PostgresTransaction) => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const run = async (tx: PostgresTransaction) => {
      const value = await unit(tx)
      return () => resolve(value)
    }
    const queued: QueuedUnit = { run, reject, isLate: false }
    this.#queue.push(queued)
    this.#schedule()
    return inTime(this.#deps.timers, promise, () => {
      queued.isLate = true
    })
  }

  /** Resolves when everything that was submitted has settled. */
  async drained(): Promise<void> {
    while (this.#running || this.#queue.length > 0) {
      await (this.#running ?? new Promise((resolve) => setImmediate(resolve)))
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#running || this.#queue.length === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#running = this.#runBatch(this.#nextUnits()).finally(() => {
        this.#running = undefined
        this.#schedule()
      })
    })
  }

  #nextUnits(): QueuedUnit[] {
    this.#queue = this.#queue.filter(({ isLate }) => !isLate)
    return this.#queue.splice(0, MAX_BATCH)
  }

  async #runBatch(units: readonly QueuedUnit[]): Promise<void> {
    if (units.length === 0) return
    try {
      const batch = await this.#commit(units)
      await this.#deps.committed(batch)
      for (const settle of batch.settlements) settle()
    } catch (cause) {
      for (const unit of units) unit.reject(unavailableOr(cause))
    }
  }

  async #commit(units: readonly QueuedUnit[], attempt = 1): Promise<Batch> {
    try {
      return await withClient(this.#deps.writer, (client) => runBatch(client, units, this.#deps))
    } catch (error) {
      if (!isRetryable(error) || attempt === ATTEMPTS) throw error
      return this.#commit(units, attempt + 1)
    }
  }
}
