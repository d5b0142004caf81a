import { type Entry, genesis, type Position, type Timers, Unavailable } from '@rescind/protocol'
import { LogTail } from '../../packages/server/storage/postgres/log-tail.ts'
import { Notifications, type NotifyingClient } from '../../packages/server/storage/postgres/notifications.ts'
import type { Membership, Reads, Storage, Transaction } from '../../packages/server/storage/storage.ts'
import type { DatabaseLink } from './database-link.ts'
import type { Server, Written } from './server.ts'
import { type Confirmation, Conflict, Diverged, type Session } from './session.ts'
import { simulatedMembership } from './simulated-membership.ts'
import { type AskView, SimulatedReads } from './simulated-reads.ts'
import { SimulatedTransaction } from './simulated-transaction.ts'
import { View } from './view.ts'

/** What the database offers to one process. */
export interface StorageDeps {
  readonly link: DatabaseLink
  readonly timers: Timers
  /** Over one of the connections that are shared by everything that only reads. */
  readonly read: <T>(step: (server: Server) => T) => Promise<T>
  /** Over the connections that are kept for the members. */
  readonly readMembers: <T>(step: (server: Server) => T) => Promise<T>
  readonly writeMembers: <T>(step: (server: Server) => T) => Promise<Written<T>>
  /** Something was reported, and others are told. */
  readonly reported: () => void
  readonly begin: () => Session
  readonly commitMs: () => number
  /** Whoever began it has stopped; the database will find out. */
  readonly abandonLater: (session: Session) => void
  /** A connection for notifications, where there are any. */
  readonly newClient: (() => NotifyingClient) | undefined
}

/** The storage of one process, over its link to the shared database. The log is followed by the production code. */
export class SimulatedStorage implements Storage {
  readonly read: Reads
  readonly membership: Membership
  readonly failed: Promise<Unavailable>
  readonly #deps: StorageDeps
  readonly #fail: (unavailable: Unavailable) => void
  readonly #running = new Set<Promise<unknown>>()
  readonly #tail: LogTail
  readonly #notifications: Notifications | undefined
  #reported = (): void => {}
  #closed = false

  constructor(deps: StorageDeps) {
    this.#deps = deps
    const { timers, newClient } = deps
    const failed = Promise.withResolvers<Unavailable>()
    this.failed = failed.promise
    this.#fail = failed.resolve
    const open = <T>(send: () => Promise<T>) => (this.#closed ? Promise.reject<T>(unavailable()) : send())
    const read: AskView = (step) => open(() => deps.read((server) => step(new View(server))))
    const reads = new SimulatedReads(read)
    const tail = new LogTail({
      read: (seq, limit) => reads.entriesAfter(seq, limit),
      timers,
      failed: (cause) => this.#fail(unavailable(cause)),
      onTrouble: () => {},
    })
    this.#tail = tail
    this.read = new FollowedReads(read, tail)
    this.membership = simulatedMembership({
      read: (step) => open(() => deps.readMembers(({ tables }) => step(tables))),
      write: (step) => open(() => deps.writeMembers(({ tables }) => step(tables))),
      followed: () => this.#followed,
      expect: (head) => tail.expect(head),
      diverged: () => tail.diverged(),
      reported: () => deps.reported(),
      onReport: (hint) => {
        this.#reported = hint
      },
    })
    this.#notifications =
      newClient &&
      new Notifications({
        newClient,
        schema: 'simulated',
        heard: (topic) => (topic === 'entries' ? tail.wake() : this.#reported()),
        timers,
        onTrouble: () => {},
      })
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
    await this.#tail.follow(after, deliver)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#running)
    this.#tail.stop()
    await this.#notifications?.stop()
  }

  get #followed(): Position {
    return this.#tail.position ?? genesis('')
  }

  async #transact<T>(unit: (tx: Transaction) => Promise<T>): Promise<T> {
    const { link, commitMs } = this.#deps
    const session = this.#deps.begin()
    const tx = new SimulatedTransaction(link, session, () => this.#followed)
    const value = await this.#inTransaction(session, tx, unit)
    let confirmation: Confirmation
    try {
      confirmation = await link.ask<Confirmation>((answer) => session.commit(answer, commitMs()))
    } catch (error) {
      session.giveUp()
      this.#deps.abandonLater(session)
      throw error instanceof Unavailable ? error : unavailable(error)
    }
    if (confirmation === 'warning') throw unavailable()
    await this.#tail.committed({ head: tx.seenHead, entries: session.changes.entries })
    return value
  }

  /** Everything of a transaction but its commit. */
  async #inTransaction<T>(
    session: Session,
    tx: SimulatedTransaction,
    unit: (tx: Transaction) => Promise<T>,
  ): Promise<T> {
    try {
      return await unit(tx)
    } catch (error) {
      this.#deps.link.tell(() => session.rollback())
      this.#deps.abandonLater(session)
      if (error instanceof Diverged) return this.#tail.diverged()
      throw error instanceof Conflict ? unavailable(error) : error
    } finally {
      tx.end()
    }
  }
}

/** What is told of the log is what is followed, or will be. */
class FollowedReads extends SimulatedReads {
  readonly #tail: LogTail

  constructor(ask: AskView, tail: LogTail) {
    super(ask)
    this.#tail = tail
  }

  override async entriesAfter(seq: number, limit: number): Promise<Entry[]> {
    const entries = await super.entriesAfter(seq, limit)
    for (const entry of entries) this.#tail.expect(entry)
    return entries
  }
}

function unavailable(cause?: unknown): Unavailable {
  return new Unavailable('storage_unavailable', { cause })
}
