import { Unavailable } from '@rescind/protocol'
import type { PlannedEvent } from '../event-heap.ts'
import type { Random } from '../random.ts'
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

/** The history that whoever wants to write has followed is not that of the server. */
export class Diverged extends Error {
  override readonly name = 'Diverged'
}

/** Whether what the server confirmed may be counted on: it says so with a warning when it may not. */
export type Confirmation = 'durable' | 'warning'

/** A row that a statement locks until the end of its transaction. */
export interface RowClaim {
  readonly row: string
  readonly mode: LockMode
  /** A row that is not there is not locked. */
  readonly exists?: (view: View) => boolean
}

/** The server that a transaction runs on. */
export interface SessionHost {
  readonly tables: Tables
  readonly locks: RowLocks
  readonly sessions: Set<Session>
  /** A standby confirms commits, each before it can be seen. */
  readonly hasStandby: boolean
  readonly isDown: boolean
  /** Tells whoever listens, but for the process that did it. */
  notify(topic: string, processId: string): void
}

export interface SessionDeps {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly behaviour: () => DatabaseBehaviour
  readonly struck: (fault: DatabaseFault, processId: string) => void
  /** The changes are durable, and visible to everybody. The locks are still held. */
  readonly committed: (host: SessionHost, changes: Changes, processId: string) => void
  /** COMMIT has arrived; the changes will be durable after this time. */
  readonly committing: (host: SessionHost, durableAfterMs: number) => void
}

/** A transaction, inside the database. READ COMMITTED: every statement sees what is committed when it runs. */
export class Session implements LockOwner {
  readonly processId: string
  readonly changes = noChanges()
  readonly view: View
  readonly heldRows = new Set<string>()
  awaitedRow: string | undefined
  readonly #deps: SessionDeps
  readonly #host: SessionHost
  #state: 'open' | 'committing' | 'unconfirmed' | 'committed' | 'ended' = 'open'
  #givenUp = false
  #refusal: unknown
  #lastActiveMs: number
  /** Fails the statement that waits for a row, or to become durable. */
  #failWaiting: ((error: unknown) => void) | undefined
  #confirm: (confirmation: Confirmation) => void = () => {}

  constructor(deps: SessionDeps, host: SessionHost, processId: string) {
    this.#deps = deps
    this.#host = host
    this.processId = processId
    this.view = new View(host, this.changes)
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

  /** COMMIT has arrived, and is not on the disk yet. */
  get isCommitting(): boolean {
    return this.#state === 'committing'
  }

  /**
   * Makes the changes durable: nothing of them can be seen, and a crash loses them, before that. Locks are changes too,
   * in that they wait for the standby like all that was committed before.
   */
  commit(answer: Answer<Confirmation>, durableAfterMs: number): void {
    if (this.#refuses(answer)) return
    const writes = this.changes.writes > 0
    if (!writes && (this.heldRows.size === 0 || this.#host.hasStandby)) {
      this.#end(new Unavailable('storage_unavailable'))
      answer.ok('durable')
      return
    }
    this.#state = 'committing'
    this.#failWaiting = (error) => answer.failed(error)
    this.#confirm = (confirmation) => {
      if (this.#state !== 'committing' && this.#state !== 'unconfirmed') return
      this.#show()
      answer.ok(confirmation)
      this.#host.locks.releaseAll(this)
    }
    const flushed = () => {
      if (this.#state !== 'committing') return
      if (this.#host.hasStandby) this.#confirm('durable')
      else this.#awaitStandby()
    }
    if (!writes) {
      flushed()
      return
    }
    this.#deps.committing(this.#host, durableAfterMs)
    if (durableAfterMs === 0) flushed()
    else this.#deps.scheduler.after(durableAfterMs, flushed)
  }

  /** The standby has everything that was committed before now. */
  standbyIsBack(): void {
    if (this.#state === 'unconfirmed') this.#confirm('durable')
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
    if (this.#state !== 'unconfirmed') {
      this.#close(new Unavailable('storage_unavailable'))
      return
    }
    // It is on the disk, and can be seen from the restart on, whether the standby has it or not.
    this.#show()
    this.#failWaiting?.(new Unavailable('storage_unavailable'))
  }

  /** Whoever sent COMMIT was told that the storage is unavailable. */
  giveUp(): void {
    this.#givenUp = true
    if (this.#state === 'committed') this.#deps.struck('db_in_doubt', this.processId)
  }

  /** How PostgreSQL does it: what no standby has confirmed in time is committed all the same. */
  #awaitStandby(): void {
    this.#state = 'unconfirmed'
    this.#deps.scheduler.after(this.#deps.random.within(this.#deps.behaviour().confirmMs), () => {
      if (this.#state !== 'unconfirmed') return
      this.#deps.struck('db_unconfirmed', this.processId)
      this.#confirm('warning')
    })
  }

  #show(): void {
    this.#state = 'committed'
    this.#host.sessions.delete(this)
    if (this.changes.writes === 0) return
    this.#deps.committed(this.#host, this.changes, this.processId)
    if (this.#givenUp) this.#deps.struck('db_in_doubt', this.processId)
  }

  #refuses(answer: Answer<never>): boolean {
    if (this.#state === 'open' && this.#host.isDown) {
      this.#deps.struck('db_down', this.processId)
      this.#end(new Unavailable('storage_unavailable'))
    }
    if (this.#state !== 'open') answer.failed(this.#refusal)
    return this.#state !== 'open'
  }

  #end(refusal: unknown): void {
    this.#close(refusal)
    this.#host.locks.releaseAll(this)
  }

  #close(refusal: unknown): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#refusal = refusal
    this.#host.sessions.delete(this)
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
    const outcome = this.#host.locks.acquire(this, claim.row, claim.mode, () => {
      if (timeout) this.#deps.scheduler.cancel(timeout)
      this.#failWaiting = undefined
      this.#lastActiveMs = this.#deps.scheduler.nowMs
      if (claim.exists?.(this.view) === false) this.#host.locks.release(this, claim.row)
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
    for (const blocker of this.#host.locks.blockersOf(this)) if (blocker instanceof Session) blocker.#abandonIfIdle()
    if (this.awaitedRow === undefined) return
    this.#deps.struck('db_lock_timeout', this.processId)
    this.#end(new Unavailable('storage_unavailable'))
  }

  #abandonIfIdle(): void {
    const idleMs = this.#deps.scheduler.nowMs - this.#lastActiveMs
    if (this.awaitedRow === undefined && idleMs >= this.#deps.behaviour().idleMs) this.abandon()
  }
}
