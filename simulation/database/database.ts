import type { Entry } from '@rescind/protocol'
import type { Storage } from '../../packages/server/storage/storage.ts'
import type { SimulatedProcess } from '../process.ts'
import type { Random } from '../random.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Changes } from './changes.ts'
import { DATABASE_FAULTS, type DatabaseBehaviour, type DatabaseFault, FAULTLESS_DATABASE } from './database-faults.ts'
import { DIRECT_LINK, RemoteLink } from './database-link.ts'
import { NotifyingConnection } from './notifying-connection.ts'
import { Server } from './server.ts'
import type { Session, SessionDeps, SessionHost } from './session.ts'
import { SimulatedStorage } from './simulated-storage.ts'
import { Tables } from './tables.ts'

const NO_PROCESS = 'nobody'

/** What the connections of a process are for. After a failover each comes to the new primary in its own time. */
const PURPOSES = ['read', 'write', 'members', 'notifications'] as const

type Purpose = (typeof PURPOSES)[number]

/**
 * The database that all nodes share: READ COMMITTED transactions with row locks, as in PostgreSQL, that become durable
 * and visible at one instant, or never. A primary with a synchronous standby, and for a while after a failover the
 * former primary too, which cannot have anything confirmed any more.
 */
export class Database {
  /** May be changed at any time. */
  behaviour: DatabaseBehaviour = FAULTLESS_DATABASE
  /** Whether those who connect are told of what others do. */
  notifies = true
  /** Hears of every commit at the instant it becomes visible at the primary, or survives a failover. */
  onCommit: (changes: Changes, processId: string) => void = () => {}
  /** Hears of every entry that was committed, and is not in the log of the primary. */
  onLost: (entry: Entry) => void = () => {}
  /** Hears of every fault that strikes something. */
  onFault: (fault: DatabaseFault, processId: string) => void = () => {}
  /** How often each fault has struck. */
  readonly counters = Object.fromEntries(DATABASE_FAULTS.map((fault) => [fault, 0])) as Record<DatabaseFault, number>
  /** What is committed at the primary. To be read only. */
  readonly tables = new Tables()
  /** Everything at once and without any process, for what happens before and beside the simulation. Follows no log. */
  readonly direct: Storage

  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #links = new Map<SimulatedProcess, RemoteLink>()
  readonly #servers = new Map<SimulatedProcess, Map<Purpose, Server>>()
  readonly #sessionDeps: SessionDeps
  #primary: Server
  #former: Server | undefined
  #replacements = 0
  #atCommit: (() => void) | undefined

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler
    this.#random = random.fork('database')
    this.#sessionDeps = {
      scheduler,
      random: this.#random,
      behaviour: () => this.behaviour,
      struck: (fault, processId) => this.#struck(fault, processId),
      committed: (server, changes, processId) => this.#committed(server, changes, processId),
      committing: (server, durableAfterMs) => this.#strikeWhileCommitting(server, durableAfterMs),
    }
    this.#primary = new Server(this.#sessionDeps, this.tables)
    this.direct = new SimulatedStorage({
      link: DIRECT_LINK,
      timers: { after: () => () => {} },
      read: (step) => DIRECT_LINK.ask((answer) => this.#primary.read(NO_PROCESS, step, answer)),
      readMembers: (step) => DIRECT_LINK.ask((answer) => this.#primary.read(NO_PROCESS, step, answer)),
      writeMembers: (step) => DIRECT_LINK.ask((answer) => this.#primary.write(NO_PROCESS, step, answer)),
      reported: () => {},
      begin: () => this.#primary.begin(NO_PROCESS),
      commitMs: () => 0,
      abandonLater: () => {},
      newClient: undefined,
    })
  }

  /** Transactions that have not ended. */
  get openTransactions(): number {
    return this.#primary.sessions.size + (this.#former?.sessions.size ?? 0)
  }

  /** The entries up to here are in the log for good, whatever becomes of the primary. */
  get durableSeq(): number {
    return this.#primary.durableSeq
  }

  /** Whether something of a process still goes to the former primary. */
  isBehind(process: SimulatedProcess): boolean {
    return [...(this.#servers.get(process)?.values() ?? [])].some((server) => server !== this.#primary)
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
    this.#servers.set(process, new Map(PURPOSES.map((purpose) => [purpose, this.#primary])))
    // Its address may still lead to the former one.
    if (this.#former !== undefined && this.#random.chance(0.3)) this.#stayWith(this.#former, process)
    const { id } = process
    const connections = { ...this.#sessionDeps, link, server: () => this.#serverOf(process, 'notifications') }
    process.onEnd(() => {
      this.#servers.delete(process)
      for (const { sessions } of this.#allServers)
        for (const session of sessions) if (session.processId === id) this.#abandonLater(session)
    })
    return new SimulatedStorage({
      link,
      timers: process.timers,
      read: (step) => {
        const server = this.#serverOf(process, 'read')
        return link.ask((answer) => server.read(id, step, answer))
      },
      readMembers: (step) => {
        const server = this.#serverOf(process, 'members')
        return link.ask((answer) => server.read(id, step, answer))
      },
      writeMembers: (step) => {
        const server = this.#serverOf(process, 'members')
        return link.ask((answer) => server.write(id, step, answer))
      },
      reported: () => this.#serverOf(process, 'notifications').notify('reports', id),
      begin: () => this.#serverOf(process, 'write').begin(id),
      commitMs: () => this.#random.within(this.behaviour.commitMs),
      abandonLater: (session) => this.#abandonLater(session),
      newClient: this.notifies ? () => new NotifyingConnection(connections, process) : undefined,
    })
  }

  /** Loses everything that is not durable, ends every transaction, and is away for a while. */
  crash(downMs: number): void {
    this.#primary.crash(downMs)
  }

  /** Calls `strike` when the next COMMIT has arrived at the primary, and is not confirmed yet. */
  atNextCommit(strike: () => void): void {
    this.#atCommit = strike
  }

  /** The standby is away for a while: what is committed meanwhile is confirmed late, or with a warning. */
  loseStandby(forMs: number): boolean {
    if (!this.#primary.hasStandby) return false
    const primary = this.#primary
    primary.loseStandby()
    this.#scheduler.after(forMs, () => {
      if (this.#primary === primary) primary.regainStandby()
    })
    return true
  }

  /**
   * The standby takes the place of the primary, with everything that was confirmed; of what was in doubt it has some. The
   * former primary goes on for `formerMs`, and whoever has not found the new one yet still talks to it.
   */
  failOver(downMs: number, formerMs: number): boolean {
    const former = this.#primary
    if (this.#former !== undefined || !former.hasStandby) return false
    former.tables = this.tables.copy()
    former.loseStandby()
    const primary = new Server(this.#sessionDeps, this.tables)
    this.#former = former
    this.#primary = primary
    for (const { isCommitting, changes, processId } of former.sessions) {
      if (!isCommitting || changes.writes === 0 || this.#random.chance(0.5)) continue
      this.#struck('db_kept_in_failover', processId)
      this.#committed(primary, changes, processId)
    }
    primary.crash(downMs)
    for (const process of this.#servers.keys()) this.#stayWith(former, process, formerMs)
    this.#scheduler.after(formerMs, () => this.#endFormer(former))
    return true
  }

  /** Somebody puts an older copy in place, while nobody is connected: what came after entry `seq` is gone. */
  replaceByOlder(seq: number): boolean {
    if (this.#former !== undefined || this.#primary.isDown) return false
    this.#replacements++
    this.#primary.crash(0)
    this.#primary.regainStandby()
    const lost = this.tables.entries.slice(seq)
    this.tables.forgetAfter(seq)
    for (const entry of lost) this.onLost(entry)
    return true
  }

  get #allServers(): Server[] {
    return this.#former === undefined ? [this.#primary] : [this.#primary, this.#former]
  }

  #serverOf(process: SimulatedProcess, purpose: Purpose): Server {
    return this.#servers.get(process)?.get(purpose) ?? this.#primary
  }

  /** Some connections of a process go to the former primary, each until it comes to the new one. */
  #stayWith(former: Server, process: SimulatedProcess, forMs = 1_000): void {
    const servers = this.#servers.get(process)
    const togetherMs = this.#random.between(0, forMs)
    const areTogether = this.#random.chance(0.3)
    for (const purpose of PURPOSES) {
      servers?.set(purpose, former)
      const untilMs = areTogether ? togetherMs : this.#random.between(0, forMs)
      this.#scheduler.after(untilMs, () => this.#servers.get(process)?.set(purpose, this.#primary))
    }
  }

  /** Somebody has seen to it that it is gone. */
  #endFormer(former: Server): void {
    former.crash(Number.POSITIVE_INFINITY)
    this.#former = undefined
    for (const servers of this.#servers.values())
      for (const purpose of PURPOSES) if (servers.get(purpose) === former) servers.set(purpose, this.#primary)
  }

  #committed(server: SessionHost, changes: Changes, processId: string): void {
    server.tables.apply(changes)
    this.#scheduler.trace('commit', server.tables.entries.length, server.tables.nextIdx, changes.writes)
    if (server === this.#primary) this.onCommit(changes, processId)
    else this.#lostAtFormer(changes, processId)
    if (changes.entries.length > 0) server.notify('entries', processId)
  }

  #lostAtFormer(changes: Changes, processId: string): void {
    const lost = changes.entries.filter(({ seq, hash }) => this.tables.entries[seq - 1]?.hash !== hash)
    for (const entry of lost) this.onLost(entry)
    if (lost.length > 0) this.#struck('db_lost_in_failover', processId)
  }

  #strikeWhileCommitting(host: SessionHost, durableAfterMs: number): void {
    const strike = this.#atCommit
    if (strike === undefined || host !== this.#primary) return
    this.#atCommit = undefined
    this.#scheduler.after(this.#random.between(0, durableAfterMs), strike)
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
