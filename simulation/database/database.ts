import { Unavailable } from '@rescind/protocol'
import type { Storage } from '../../packages/server/storage/storage.ts'
import type { SimulatedProcess } from '../process.ts'
import type { Random } from '../random.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Changes } from './changes.ts'
import { DATABASE_FAULTS, type DatabaseBehaviour, type DatabaseFault, FAULTLESS_DATABASE } from './database-faults.ts'
import { type Answer, DIRECT_LINK, RemoteLink } from './database-link.ts'
import { LogTail } from './log-tail.ts'
import { RowLocks } from './row-locks.ts'
import { Session, type SessionDeps } from './session.ts'
import { SimulatedStorage } from './simulated-storage.ts'
import { Tables } from './tables.ts'

const NO_PROCESS = 'nobody'

/**
 * The database that all nodes share: READ COMMITTED transactions with row locks, as in PostgreSQL, that become durable
 * and visible at one instant, or never.
 */
export class Database {
  /** May be changed at any time. */
  behaviour: DatabaseBehaviour = FAULTLESS_DATABASE
  /** Hears of every commit at the instant it becomes durable and visible. */
  onCommit: (changes: Changes, processId: string) => void = () => {}
  /** Hears of every fault that strikes something. */
  onFault: (fault: DatabaseFault, processId: string) => void = () => {}
  /** How often each fault has struck. */
  readonly counters = Object.fromEntries(DATABASE_FAULTS.map((fault) => [fault, 0])) as Record<DatabaseFault, number>
  /** What is committed. To be read only. */
  readonly tables = new Tables()
  /** Everything at once and without any process, for what happens before and beside the simulation. Follows no log. */
  readonly direct: Storage

  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #links = new Map<SimulatedProcess, RemoteLink>()
  readonly #tails = new Map<SimulatedProcess, LogTail>()
  readonly #sessions = new Set<Session>()
  readonly #locks = new RowLocks()
  readonly #sessionDeps: SessionDeps
  #downUntilMs = 0
  #replacements = 0
  #crashAtCommitMs: number | undefined

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler
    this.#random = random.fork('database')
    this.#sessionDeps = {
      scheduler,
      tables: this.tables,
      locks: this.#locks,
      behaviour: () => this.behaviour,
      down: () => this.down,
      struck: (fault, processId) => this.#struck(fault, processId),
      committed: (changes, processId) => this.#committed(changes, processId),
      ended: (session) => this.#sessions.delete(session),
      committing: (durableAfterMs) => this.#crashWhileCommitting(durableAfterMs),
    }
    this.direct = new SimulatedStorage({
      tables: this.tables,
      link: DIRECT_LINK,
      ask: (step) => DIRECT_LINK.ask((answer) => this.#serve(NO_PROCESS, step, answer)),
      begin: () => this.#begin(NO_PROCESS),
      commitMs: () => 0,
      abandonLater: () => {},
      tail: () => {
        throw new Error('Only a process follows the log.')
      },
    })
  }

  get down(): boolean {
    return this.#scheduler.nowMs < this.#downUntilMs
  }

  /** Transactions that have not ended. */
  get openTransactions(): number {
    return this.#sessions.size
  }

  /** The way of a process to the database. */
  link(process: SimulatedProcess): RemoteLink {
    let link = this.#links.get(process)
    if (link === undefined) {
      const deps = { scheduler: this.#scheduler, random: this.#random, behaviour: () => this.behaviour }
      const replacements = () => this.#replacements
      link = new RemoteLink(
        { ...deps, replacements, struck: (fault, processId) => this.#struck(fault, processId) },
        process,
      )
      this.#links.set(process, link)
    }
    return link
  }

  /** Cuts the link of a process, or one direction of it: what is sent vanishes. */
  partition(process: SimulatedProcess, ways: 'both' | 'requests' | 'replies' = 'both'): void {
    this.link(process).cut = ways
  }

  heal(process: SimulatedProcess): void {
    this.link(process).cut = 'none'
  }

  /** The storage of a process. Once per process. */
  connect(process: SimulatedProcess): Storage {
    const link = this.link(process)
    const behaviour = () => this.behaviour
    process.onEnd(() => {
      this.#tails.delete(process)
      for (const session of this.#sessions) if (session.processId === process.id) this.#abandonLater(session)
    })
    return new SimulatedStorage({
      tables: this.tables,
      link,
      ask: (step) => link.ask((answer) => this.#serve(process.id, step, answer)),
      begin: () => this.#begin(process.id),
      commitMs: () => this.#random.within(this.behaviour.commitMs),
      abandonLater: (session) => this.#abandonLater(session),
      tail: (follow, afterSeq) => {
        const tail = new LogTail({ ...follow, timers: process.timers, random: this.#random, behaviour }, afterSeq)
        this.#tails.set(process, tail)
        return tail
      },
    })
  }

  /** Loses everything that is not durable, ends every transaction, and is away for a while. */
  crash(downMs: number): void {
    this.#downUntilMs = Math.max(this.#downUntilMs, this.#scheduler.nowMs + downMs)
    this.#locks.clear()
    for (const session of [...this.#sessions]) session.crash()
  }

  /** As {@link crash}, when the next COMMIT has arrived and is not durable yet. */
  crashAtCommit(downMs: number): void {
    this.#crashAtCommitMs = downMs
  }

  #crashWhileCommitting(durableAfterMs: number): void {
    const downMs = this.#crashAtCommitMs
    if (downMs === undefined) return
    this.#crashAtCommitMs = undefined
    this.#scheduler.after(this.#random.between(0, durableAfterMs), () => this.crash(downMs))
  }

  /** Somebody puts an older copy of the log in place: everything is down, and what came after `seq` is gone. */
  replaceByOlder(seq: number, downMs: number): void {
    this.#replacements++
    this.crash(downMs)
    this.tables.forgetAfter(seq)
  }

  #begin(processId: string): Session {
    const session = new Session(this.#sessionDeps, processId)
    this.#sessions.add(session)
    return session
  }

  #serve<T>(processId: string, step: () => T, answer: Answer<T>): void {
    if (this.down) {
      this.#struck('db_down', processId)
      answer.failed(new Unavailable('storage_unavailable'))
      return
    }
    let value: T
    try {
      value = step()
    } catch (error) {
      answer.failed(error)
      return
    }
    answer.ok(value)
  }

  #committed(changes: Changes, processId: string): void {
    this.tables.apply(changes)
    this.#scheduler.trace('commit', this.tables.entries.length, this.tables.nextIdx, changes.writes)
    this.onCommit(changes, processId)
    if (changes.entries.length === 0) return
    for (const [process, tail] of this.#tails) {
      if (this.#random.chance(this.behaviour.notifyChance)) this.link(process).notify(() => tail.look())
    }
  }

  #abandonLater(session: Session): void {
    this.#scheduler.after(this.#random.within(this.behaviour.abandonedMs), () => session.abandon())
  }

  #struck(fault: DatabaseFault, processId: string): void {
    this.counters[fault]++
    this.#scheduler.trace(fault)
    this.onFault(fault, processId)
  }
}
