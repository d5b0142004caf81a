import { Unavailable } from '@rescind/protocol'
import type { Answer } from './database-link.ts'
import { RowLocks } from './row-locks.ts'
import { type Confirmation, Session, type SessionDeps, type SessionHost } from './session.ts'
import type { Tables } from './tables.ts'

/** A statement that writes, outside of a transaction. */
export interface Written<T> {
  readonly value: T
  readonly confirmation: Confirmation
}

/** A connection that waits for notifications. */
interface ListeningConnection {
  notify(topic: string, processId: string): void
  break(): void
}

/** One PostgreSQL server: what is committed there, and the transactions that are not. */
export class Server implements SessionHost {
  /** What is committed. Only {@link SessionDeps.committed} and statements of their own write. */
  tables: Tables
  readonly locks = new RowLocks()
  readonly sessions = new Set<Session>()
  readonly listening = new Set<ListeningConnection>()
  readonly #deps: SessionDeps
  #downUntilMs = 0
  /** The last entry that the standby has, while it is lost. */
  #confirmedSeq: number | undefined

  constructor(deps: SessionDeps, tables: Tables) {
    this.#deps = deps
    this.tables = tables
  }

  get isDown(): boolean {
    return this.#deps.scheduler.nowMs < this.#downUntilMs
  }

  get hasStandby(): boolean {
    return this.#confirmedSeq === undefined
  }

  /** The entries up to here survive this server. */
  get durableSeq(): number {
    return this.#confirmedSeq ?? this.tables.head?.seq ?? 0
  }

  begin(processId: string): Session {
    const session = new Session(this.#deps, this, processId)
    this.sessions.add(session)
    return session
  }

  /** Runs a statement that only reads. */
  read<T>(processId: string, step: (server: this) => T, answer: Answer<T>): void {
    if (this.isDown) {
      this.#deps.struck('db_down', processId)
      answer.failed(new Unavailable('storage_unavailable'))
      return
    }
    let value: T
    try {
      value = step(this)
    } catch (error) {
      answer.failed(error)
      return
    }
    answer.ok(value)
  }

  /** Runs a statement that writes, at one instant; it is confirmed as a transaction is. */
  write<T>(processId: string, step: (server: this) => T, answer: Answer<Written<T>>): void {
    const confirmed = (value: T) => {
      if (this.hasStandby) answer.ok({ value, confirmation: 'durable' })
      else
        this.#deps.scheduler.after(this.#deps.random.within(this.#deps.behaviour().confirmMs), () => {
          if (!this.hasStandby) this.#deps.struck('db_unconfirmed', processId)
          answer.ok({ value, confirmation: this.hasStandby ? 'durable' : 'warning' })
        })
    }
    this.read(processId, step, { ok: confirmed, failed: (error) => answer.failed(error) })
  }

  loseStandby(): void {
    this.#confirmedSeq ??= this.tables.head?.seq ?? 0
  }

  /** The standby is back, or another is set up, with all that is committed. */
  regainStandby(): void {
    this.#confirmedSeq = undefined
    for (const session of [...this.sessions]) session.standbyIsBack()
  }

  /** Loses everything that is not durable, ends every transaction and connection, and is away for a while. */
  crash(downMs: number): void {
    this.#downUntilMs = Math.max(this.#downUntilMs, this.#deps.scheduler.nowMs + downMs)
    this.locks.clear()
    for (const session of [...this.sessions]) session.crash()
    for (const connection of [...this.listening]) connection.break()
  }

  notify(topic: string, processId: string): void {
    for (const connection of [...this.listening]) connection.notify(topic, processId)
  }
}
