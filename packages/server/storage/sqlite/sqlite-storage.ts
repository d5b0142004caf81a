import type { DatabaseSync } from 'node:sqlite'
import { type Clock, type Entry, type Position, Unavailable } from '@rescind/protocol'
import type { DatabaseCopy, Membership, Reads, Storage, Transaction } from '../storage.ts'
import type { Refused } from '../write.ts'
import { isEngineFault } from './engine-fault.ts'
import type { FolderLock } from './folder-lock.ts'
import { GroupCommit } from './group-commit.ts'
import { hasRoomForCopy } from './has-room-for-copy.ts'
import { copyOnline } from './online-copy.ts'
import type { PreparedStatements } from './prepared-statements.ts'
import { RememberedStandings } from './remembered-standings.ts'
import { SqliteMembership } from './sqlite-membership.ts'
import { SqliteReads } from './sqlite-reads.ts'
import { SqliteTransaction } from './sqlite-transaction.ts'
import type { UnitScope } from './unit-scope.ts'

type Deliver = (entries: readonly Entry[]) => void

/**
 * The storage on one SQLite connection. A batch of units and the reads outside of it share that connection, so reads
 * wait while a batch is running: they would see what is not committed.
 */
export class SqliteStorage implements Storage {
  readonly read: Reads
  readonly membership: Membership
  readonly failed: Promise<Unavailable>
  readonly #db: DatabaseSync
  readonly #lock: FolderLock
  readonly #dataDir: string
  readonly #statements: PreparedStatements
  readonly #commits: GroupCommit
  readonly #standings = new RememberedStandings()
  #deliver: Deliver | undefined
  /** Resolves when no copy is being made. */
  #copying: Promise<unknown> = Promise.resolve()
  #closed: Promise<void> | undefined

  constructor(db: DatabaseSync, lock: FolderLock, dataDir: string, statements: PreparedStatements, clock: Clock) {
    this.#db = db
    this.#lock = lock
    this.#dataDir = dataDir
    this.#statements = statements
    this.#commits = new GroupCommit(db, (entries) => this.#deliver?.(entries))
    this.failed = this.#commits.failed
    this.failed.then(() => this.#standings.forgetAll())
    this.read = new SqliteReads(statements, this.#standings, (step) => this.#runRead(step))
    this.membership = new SqliteMembership(this.#statements, clock, {
      read: (step) => this.#runRead(step),
      write: (step, durable) => this.#submit((scope) => scope.run(step), durable),
      assertOpen: () => this.#assertOpen(),
    })
  }

  transact<T>(unit: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#submit((scope) => unit(new SqliteTransaction(this.#statements, this.#standings, scope)))
  }

  /** Holds the event loop until the follower has caught up: an entry written meanwhile could otherwise be acknowledged before it is delivered. */
  follow(after: Position, deliver: Deliver): Promise<void> {
    return this.#runRead(() => {
      if (this.#deliver) throw new Error('The revocation log already has a follower.')
      for (const entries of this.#statements.entriesAfter(after.seq)) deliver(entries)
      this.#deliver = deliver
    })
  }

  /** One at a time: each takes as much room as the database. */
  copy(begin: () => Promise<object | Refused>): Promise<DatabaseCopy | Refused> {
    const mayGoOn = () => this.#closed === undefined
    const copying = this.#copying.then(async (): Promise<DatabaseCopy | Refused> => {
      this.#assertOpen()
      if (!(await hasRoomForCopy(this.#db, this.#dataDir))) return { refused: 'backup_no_room' }
      const begun = await begin()
      if ('refused' in begun) return begun
      return copyOnline(this.#db, this.#dataDir, mayGoOn)
    })
    this.#copying = copying.catch(() => {})
    return copying
  }

  close(): Promise<void> {
    this.#standings.forgetAll()
    this.#closed ??= Promise.all([this.#commits.drained(), this.#copying]).then(() => {
      this.#db.close()
      this.#lock.release()
    })
    return this.#closed
  }

  #submit<T>(run: (scope: UnitScope) => Promise<T>, durable?: (value: T) => void): Promise<T> {
    if (this.#closed) return Promise.reject(new Unavailable('storage_unavailable'))
    return this.#commits.submit(run, durable)
  }

  async #runRead<T>(step: () => T): Promise<T> {
    while (this.#commits.running) await this.#commits.running
    this.#assertOpen()
    try {
      return step()
    } catch (cause) {
      throw isEngineFault(cause) ? new Unavailable('storage_unavailable', { cause }) : cause
    }
  }

  #assertOpen(): void {
    if (this.#commits.failure) throw this.#commits.failure
    if (this.#closed) throw new Unavailable('storage_unavailable')
  }
}
