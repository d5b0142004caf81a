import { Unavailable } from '@rescind/protocol'
import type { PlannedEvent } from '../event-heap.ts'
import type { Scheduler } from '../scheduler.ts'
import { type Changes, noChanges } from './changes.ts'
import type { DatabaseBehaviour, DatabaseFault } from './database-faults.ts'
import type { Answer } from './database-link.ts'
import type { LockMode, LockOwner, RowLocks } from './row-locks.ts'
import type { Tables } from './tables.ts'
import { View } from './view.ts'

/** Another transaction did first what cannot be done twice; nothing of this one remains. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
}

/** A row that a statement locks until the end of its transaction. */
export interface RowClaim {
  readonly row: string
  readonly mode: LockMode
  /** A row that is not there is not locked. */
  readonly exists?: (view: View) => boolean
}

export interface SessionDeps {
  readonly scheduler: Scheduler
  readonly tables: Tables
  readonly locks: RowLocks
  readonly behaviour: () => DatabaseBehaviour
  /** Whether the database is away. */
  readonly down: () => boolean
  readonly struck: (fault: DatabaseFault, processId: string) => void
  /** The changes are durable, and visible to everybody. The locks are still held. */
  readonly committed: (changes: Changes, processId: string) => void
  readonly ended: (session: Session) => void
  /** COMMIT has arrived; the changes will be durable after this time. */
  readonly committing: (durableAfterMs: number) => void
}

/** A transaction, inside the database. READ COMMITTED: every statement sees what is committed when it runs. */
export class Session implements LockOwner {
  readonly processId: string
  readonly changes = noChanges()
  readonly view: View
  readonly heldRows = new Set<string>()
  awaitedRow: string | undefined
  readonly #deps: SessionDeps
  #state: 'open' | 'committing' | 'committed' | 'ended' = 'open'
  #givenUp = false
  #refusal: unknown
  #lastActiveMs: number
  /** Fails the statement that waits for a row, or to become durable. */
  #failWaiting: ((error: unknown) => void) | undefined

  constructor(deps: SessionDeps, processId: string) {
    this.#deps = deps
    this.processId = processId
    this.view = new View(deps.tables, this.changes)
    this.#lastActiveMs = deps.scheduler.nowMs
  }

  /** Runs a statement once it has its rows. */
  execute<T>(claims: readonly RowClaim[], step: () => T, answer: Answer<T>): void {
    if (this.#refuses(answer)) return
    this.#lastActiveMs = this.#deps.scheduler.nowMs
    this.#claim(claims, 0, answer, () => {
      try {
        answer.ok(step())
      } catch (error) {
        if (error instanceof Conflict) this.#deps.struck('db_conflict', this.processId)
        this.#end(error)
        answer.failed(error)
      }
    })
  }

  /** Makes the changes durable: nothing of them can be seen, and a crash loses them, before that. */
  commit(answer: Answer<void>, durableAfterMs: number): void {
    if (this.#refuses(answer)) return
    if (this.changes.writes === 0) {
      this.#end(new Unavailable('storage_unavailable'))
      answer.ok()
      return
    }
    this.#state = 'committing'
    this.#deps.committing(durableAfterMs)
    this.#failWaiting = (error) => answer.failed(error)
    const commit = () => {
      if (this.#state !== 'committing') return
      this.#state = 'committed'
      this.#deps.committed(this.changes, this.processId)
      if (this.#givenUp) this.#deps.struck('db_in_doubt', this.processId)
      this.#deps.ended(this)
      answer.ok()
      this.#deps.locks.releaseAll(this)
    }
    if (durableAfterMs === 0) commit()
    else this.#deps.scheduler.after(durableAfterMs, commit)
  }

  /** Undoes everything, unless COMMIT has arrived. */
  rollback(): void {
    if (this.#state === 'open') this.#end(new Unavailable('storage_unavailable'))
  }

  /** As {@link rollback}, by the database itself. */
  abandon(): void {
    if (this.#state !== 'open') return
    this.#deps.struck('db_abandoned', this.processId)
    this.rollback()
  }

  /** The database is gone, and with it all locks and whatever is not durable. */
  crash(): void {
    if (this.#state === 'committing') this.#deps.struck('db_commit_lost', this.processId)
    this.#close(new Unavailable('storage_unavailable'))
  }

  /** Whoever sent COMMIT was told that the storage is unavailable. */
  giveUp(): void {
    this.#givenUp = true
    if (this.#state === 'committed') this.#deps.struck('db_in_doubt', this.processId)
  }

  #refuses(answer: Answer<never>): boolean {
    if (this.#state === 'open' && this.#deps.down()) {
      this.#deps.struck('db_down', this.processId)
      this.#end(new Unavailable('storage_unavailable'))
    }
    if (this.#state !== 'open') answer.failed(this.#refusal)
    return this.#state !== 'open'
  }

  #end(refusal: unknown): void {
    this.#close(refusal)
    this.#deps.locks.releaseAll(this)
  }

  #close(refusal: unknown): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#refusal = refusal
    this.#deps.ended(this)
    this.#failWaiting?.(refusal)
  }

  #claim(claims: readonly RowClaim[], at: number, answer: Answer<never>, claimed: () => void): void {
    const claim = claims[at]
    if (claim === undefined) {
      claimed()
      return
    }
    const next = () => this.#claim(claims, at + 1, answer, claimed)
    if (claim.exists?.(this.view) === false) {
      next()
      return
    }
    let timeout: PlannedEvent | undefined
    const outcome = this.#deps.locks.acquire(this, claim.row, claim.mode, () => {
      if (timeout) this.#deps.scheduler.cancel(timeout)
      this.#failWaiting = undefined
      this.#lastActiveMs = this.#deps.scheduler.nowMs
      if (claim.exists?.(this.view) === false) this.#deps.locks.release(this, claim.row)
      next()
    })
    if (outcome === 'granted') {
      next()
    } else if (outcome === 'deadlock') {
      this.#deps.struck('db_deadlock', this.processId)
      this.#end(new Unavailable('storage_unavailable'))
      answer.failed(this.#refusal)
    } else {
      this.#failWaiting = (error) => answer.failed(error)
      timeout = this.#deps.scheduler.after(this.#deps.behaviour().lockTimeoutMs, () => this.#waitedTooLong())
    }
  }

  #waitedTooLong(): void {
    if (this.awaitedRow === undefined || this.#state !== 'open') return
    for (const blocker of this.#deps.locks.blockersOf(this)) if (blocker instanceof Session) blocker.#abandonIfIdle()
    if (this.awaitedRow === undefined) return
    this.#deps.struck('db_lock_timeout', this.processId)
    this.#end(new Unavailable('storage_unavailable'))
  }

  #abandonIfIdle(): void {
    const idleMs = this.#deps.scheduler.nowMs - this.#lastActiveMs
    if (this.awaitedRow === undefined && idleMs >= this.#deps.behaviour().idleMs) this.abandon()
  }
}
