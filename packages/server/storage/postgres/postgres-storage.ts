import { type Clocks, type Entry, type Position, type Timers, Unavailable } from '@rescind/protocol'
import { entriesAfter } from '../sql/revocation-log.ts'
import { SqlReads } from '../sql/sql-reads.ts'
import type { Arguments, Statement } from '../sql/statement.ts'
import type { Membership, Reads, Storage, Transaction } from '../storage.ts'
import type { Connections } from './connections.ts'
import { GroupCommit } from './group-commit.ts'
import { createHeadLock } from './head-lock.ts'
import { Listener } from './listener.ts'
import { LogTail } from './log-tail.ts'
import { PostgresMembership } from './postgres-membership.ts'
import { PreparedStatements } from './prepared-statements.ts'
import { unavailableOr } from './server-fault.ts'
import { tokenLists } from './sql-builder.ts'

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
  readonly membership: Membership
  readonly #connections: Connections
  readonly #statements: PreparedStatements
  readonly #commits: GroupCommit
  readonly #tail: LogTail
  readonly #listener: Listener | undefined
  readonly #failed = Promise.withResolvers<Unavailable>()
  #failure: Unavailable | undefined
  #closed: Promise<void> | undefined

  constructor({ connections, schema, listen, clocks, timers, onTrouble }: PostgresStorageDeps) {
    const channel = `rescind_${schema}`
    this.#connections = connections
    this.#statements = new PreparedStatements(schema)
    this.#tail = new LogTail({
      read: (seq, limit) => this.#read(entriesAfter, { seq, limit }),
      timers,
      failed: (cause) => this.#fail(cause),
      onTrouble,
    })
    this.read = new SqlReads((statement, args) => this.#read(statement, args), tokenLists)
    this.membership = new PostgresMembership({
      vital: connections.vital,
      statements: this.#statements,
      clock: clocks,
      tail: this.#tail,
      assertOpen: () => this.#assertOpen(),
    })
    this.#commits = new GroupCommit({
      writer: connections.writer,
      statements: this.#statements,
      lockHead: createHeadLock(schema, this.#tail),
      monotonicMs: clocks.monotonicMs,
      committed: async (entries, client) => {
        // Outside of the transaction: a notification in it would serialise the commits of the whole server.
        if (listen && entries.length > 0) client.query(`NOTIFY "${channel}"`).catch(() => {})
        await this.#tail.committed(entries)
      },
    })
    this.#listener = listen
      ? new Listener({ config: connections.dedicated, channel, timers, wake: () => this.#tail.wake(), onTrouble })
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
      await this.#listener?.stop()
      await this.#connections.end()
    })
    return this.#closed
  }

  async #read<A extends Arguments, Result>(statement: Statement<A, Result>, args: A): Promise<Result> {
    this.#assertOpen()
    try {
      return await this.#statements.run(this.#connections.shared, statement, args)
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
