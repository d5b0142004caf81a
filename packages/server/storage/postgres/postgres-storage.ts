import { type Clocks, type Entry, type Position, type Timers, Unavailable } from '@rescind/protocol'
import { entriesAfter } from '../sql/revocation-log.ts'
import type { Arguments, Statement } from '../sql/statement.ts'
import type { Reads, Storage, Transaction } from '../storage.ts'
import type { Connections } from './connections.ts'
import { inTime } from './deadline.ts'
import { GroupCommit } from './group-commit.ts'
import { createHeadLock } from './head-lock.ts'
import { LogTail } from './log-tail.ts'
import { Notifications } from './notifications.ts'
import { PostgresMembership } from './postgres-membership.ts'
import { PostgresReads } from './postgres-reads.ts'
import { PreparedStatements } from './prepared-statements.ts'
import { unavailableOr } from './server-fault.ts'

export interface PostgresStorageDeps {
  readonly connections: Connections
  /** Where the tables are: a plain lower-case identifier. */
  readonly schema: string
  /** Whether nodes tell each other of new entries; polling is enough. */
  readonly listen: boolean
  readonly clocks: Clocks
  readonly timers: Timers
  /** Something went wrong that is tried again. */
  readonly onTrouble: (error: unknown) => void
}

/** The storage on a PostgreSQL server that other nodes use as well. */
export class PostgresStorage implements Storage {
  readonly read: Reads
  readonly membership: PostgresMembership
  readonly #connections: Connections
  readonly #timers: Timers
  readonly #statements: PreparedStatements
  readonly #commits: GroupCommit
  readonly #tail: LogTail
  readonly #notifications: Notifications | undefined
  readonly #failed = Promise.withResolvers<Unavailable>()
  #failure: Unavailable | undefined
  #closed: Promise<void> | undefined

  constructor({ connections, schema, listen, clocks, timers, onTrouble }: PostgresStorageDeps) {
    this.#connections = connections
    this.#timers = timers
    this.#statements = new PreparedStatements(schema)
    this.#tail = new LogTail({
      read: (seq, limit) => this.#read(entriesAfter, { seq, limit }),
      timers,
      failed: (cause) => this.#fail(cause),
      onTrouble,
    })
    this.read = new PostgresReads((statement, args) => this.#read(statement, args), {
      timers,
      monotonicMs: clocks.monotonicMs,
      tail: this.#tail,
      assertOpen: () => this.#assertOpen(),
    })
    this.membership = new PostgresMembership({
      vital: connections.vital,
      statements: this.#statements,
      clock: clocks,
      timers,
      tail: this.#tail,
      reported: () => this.#notifications?.tell('reports'),
      assertOpen: () => this.#assertOpen(),
    })
    this.#commits = new GroupCommit({
      writer: connections.writer,
      statements: this.#statements,
      lockHead: createHeadLock(schema, this.#tail),
      timers,
      committed: async (batch) => {
        if (batch.entries.length > 0) this.#notifications?.tell('entries')
        await this.#tail.committed(batch)
      },
    })
    this.#notifications = listen
      ? new Notifications({
          newClient: connections.dedicated,
          schema,
          timers,
          heard: (topic) => (topic === 'entries' ? this.#tail.wake() : this.membership.heard()),
          onTrouble,
        })
      : undefined
  }

  get failed(): Promise<Unavailable> {
    return this.#failed.promise
  }

  async transact<T>(unit: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#assertOpen()
    return this.#commits.submit(unit)
  }

  async follow(after: Position, deliver: (entries: readonly Entry[]) => void): Promise<void> {
    this.#assertOpen()
    await this.#tail.follow(after, deliver)
  }

  close(): Promise<void> {
    this.#closed ??= this.#commits.drained().then(async () => {
      this.#tail.stop()
      this.#notifications?.stop()
      await this.#connections.end()
    })
    return this.#closed
  }

  async #read<A extends Arguments, Result>(statement: Statement<A, Result>, args: A): Promise<Result> {
    this.#assertOpen()
    try {
      return await inTime(this.#timers, this.#statements.run(this.#connections.shared, statement, args))
    } catch (cause) {
      throw unavailableOr(cause)
    }
  }

  #fail(cause: unknown): void {
    this.#failure ??= new Unavailable('storage_unavailable', { cause })
    this.#failed.resolve(this.#failure)
  }

  #assertOpen(): void {
    if (this.#failure) throw this.#failure
    if (this.#closed) throw new Unavailable('storage_unavailable')
  }
}
