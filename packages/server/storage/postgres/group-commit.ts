import { Unavailable } from '@rescind/protocol'
import type { Pool } from 'pg'
import { withClient } from './connections.ts'
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
  readonly monotonicMs: () => number
  /** Is told of each batch right after its commit. Resolves when everything that its units could see was handed on. */
  readonly committed: (batch: Committed) => Promise<void>
}

interface QueuedUnit extends BatchUnit {
  /** On the monotonic clock: nobody waits for its answer any more. */
  readonly lateMs: number
}

/** Bounds how long the head is locked, and how many units share the fate of one commit. */
const MAX_BATCH = 64
/** A batch that another transaction was in the way of is run so often. */
const ATTEMPTS = 5
/** How long a unit may wait for its turn. */
const QUEUE_MS = 5_000

/**
 * Runs all units that wait in one transaction, one after the other: a unit that throws leaves nothing behind and the
 * others share one durable commit. The transaction begins by locking the head of the log, so that no two of them run at
 * the same time, on whichever node. No unit settles before the commit is durable and all that it could see of the log
 * was handed on.
 *
 * What goes wrong with the server before the commit undoes the batch. When the answer to the commit is lost or comes
 * with a warning, it is not known what is durable: the units are told that the storage is unavailable.
 */
export class GroupCommit {
  readonly #deps: GroupCommitDeps
  #queue: QueuedUnit[] = []
  #running: Promise<void> | undefined
  #scheduled = false

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps
  }

  /** @throws Unavailable when the batch could not be made durable */
  submit<T>(unit: (tx: PostgresTransaction) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = async (tx: PostgresTransaction) => {
        const value = await unit(tx)
        return () => resolve(value)
      }
      this.#queue.push({ run, reject, lateMs: this.#deps.monotonicMs() + QUEUE_MS })
      this.#schedule()
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
    const nowMs = this.#deps.monotonicMs()
    const units = this.#queue.splice(0, MAX_BATCH)
    for (const late of units.filter(({ lateMs }) => lateMs <= nowMs))
      late.reject(new Unavailable('storage_unavailable'))
    return units.filter(({ lateMs }) => lateMs > nowMs)
  }

  async #runBatch(units: readonly QueuedUnit[]): Promise<void> {
    if (units.length === 0) return
    try {
      const { settlements } = await this.#commit(units)
      for (const settle of settlements) settle()
    } catch (cause) {
      for (const unit of units) unit.reject(unavailableOr(cause))
    }
  }

  async #commit(units: readonly QueuedUnit[], attempt = 1): Promise<Batch> {
    try {
      return await withClient(this.#deps.writer, async (client) => {
        const batch = await runBatch(client, units, this.#deps)
        await this.#deps.committed(batch)
        return batch
      })
    } catch (error) {
      if (!isRetryable(error) || attempt === ATTEMPTS) throw error
      return this.#commit(units, attempt + 1)
    }
  }
}
