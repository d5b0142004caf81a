import { type Entry, type Position, Unavailable } from '@rescind/protocol'
import type { Membership, Reads, Storage, Transaction } from '../../packages/server/storage/storage.ts'
import type { DatabaseLink } from './database-link.ts'
import type { LogTail } from './log-tail.ts'
import { Conflict, type Session } from './session.ts'
import { simulatedMembership } from './simulated-membership.ts'
import { SimulatedReads } from './simulated-reads.ts'
import { SimulatedTransaction } from './simulated-transaction.ts'
import type { Tables } from './tables.ts'
import { View } from './view.ts'

/** What the database offers to one process. */
export interface StorageDeps {
  readonly tables: Tables
  readonly link: DatabaseLink
  /** Sends a statement outside of a transaction. */
  readonly ask: <T>(step: () => T) => Promise<T>
  readonly begin: () => Session
  readonly commitMs: () => number
  /** Whoever began it has stopped; the database will find out. */
  readonly abandonLater: (session: Session) => void
  /** The tail of the log for this process. */
  readonly tail: (
    follow: Pick<ConstructorParameters<typeof LogTail>[0], 'entriesAfter' | 'deliver' | 'failed'>,
    afterSeq: number,
  ) => LogTail
}

/** The storage of one process, over its link to the shared database. */
export class SimulatedStorage implements Storage {
  readonly read: Reads
  readonly membership: Membership
  readonly failed: Promise<Unavailable>
  readonly #deps: StorageDeps
  readonly #fail: (unavailable: Unavailable) => void
  readonly #running = new Set<Promise<unknown>>()
  #tail: LogTail | undefined
  #closed = false

  constructor(deps: StorageDeps) {
    this.#deps = deps
    const view = new View(deps.tables)
    const ask = <T>(step: () => T) => (this.#closed ? Promise.reject(unavailable()) : deps.ask(step))
    this.read = new SimulatedReads((read) => ask(() => read(view)))
    this.membership = simulatedMembership(ask, deps.tables)
    const failed = Promise.withResolvers<Unavailable>()
    this.failed = failed.promise
    this.#fail = failed.resolve
  }

  transact<T>(unit: (tx: Transaction) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(unavailable())
    const running = this.#transact(unit)
    this.#running.add(running)
    const ended = () => this.#running.delete(running)
    running.then(ended, ended)
    return running
  }

  async follow(after: Position, deliver: (entries: readonly Entry[]) => void): Promise<void> {
    if (this.#tail) throw new Error('The revocation log already has a follower.')
    const follow = {
      entriesAfter: (seq: number, limit: number) => this.read.entriesAfter(seq, limit),
      deliver,
      failed: (cause: unknown) => this.#fail(unavailable(cause)),
    }
    const tail = this.#deps.tail(follow, after.seq)
    this.#tail = tail
    try {
      await tail.start()
    } catch (error) {
      tail.stop()
      this.#tail = undefined
      throw error
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#running)
    this.#tail?.stop()
  }

  async #transact<T>(unit: (tx: Transaction) => Promise<T>): Promise<T> {
    const { link, commitMs } = this.#deps
    const session = this.#deps.begin()
    const value = await this.#inTransaction(session, unit)
    try {
      await link.ask<void>((answer) => session.commit(answer, commitMs()))
    } catch (error) {
      session.giveUp()
      this.#deps.abandonLater(session)
      throw error instanceof Unavailable ? error : unavailable(error)
    }
    const last = session.changes.entries.at(-1)
    if (last !== undefined && this.#tail) {
      this.#tail.look()
      await this.#tail.reached(last.seq)
    }
    return value
  }

  /** Everything of a transaction but its commit. */
  async #inTransaction<T>(session: Session, unit: (tx: Transaction) => Promise<T>): Promise<T> {
    const tx = new SimulatedTransaction(this.#deps.link, session)
    try {
      return await unit(tx)
    } catch (error) {
      this.#deps.link.tell(() => session.rollback())
      this.#deps.abandonLater(session)
      throw error instanceof Conflict ? unavailable(error) : error
    } finally {
      tx.end()
    }
  }
}

function unavailable(cause?: unknown): Unavailable {
  return new Unavailable('storage_unavailable', { cause })
}
