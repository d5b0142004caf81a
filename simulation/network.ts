import type { FeedSocket, FeedSocketListener } from '@rescind/protocol'
import { Connection, type ConnectionDeps } from './connection.ts'
import { FAULTLESS, type Link, type LinkBehaviour, NETWORK_FAULTS, type NetworkFault } from './network-faults.ts'
import type { SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** The other process did not answer. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** Whoever connects. Hears `closed` (1006) without `opened` when that fails. */
export interface ConnectListener extends FeedSocketListener {
  opened(socket: FeedSocket): void
}

/** Takes a connection that arrived, or refuses it with `undefined`. */
export type Accept = (socket: FeedSocket, from: SimulatedProcess) => FeedSocketListener | undefined

/** How long an attempt to connect takes at most. */
const CONNECT_TIMEOUT_MS = 5_000

/** Every connection and question between processes, over links that may be slow, lossy or cut. */
export class Network {
  /** Hears of every fault that strikes something. */
  onFault: (fault: NetworkFault, fromId: string, toId: string) => void = () => {}
  /** How often each fault has struck. */
  readonly counters = Object.fromEntries(NETWORK_FAULTS.map((fault) => [fault, 0])) as Record<NetworkFault, number>

  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #links = new Map<string, Map<string, Link>>()
  readonly #accepts = new Map<SimulatedProcess, Accept>()
  readonly #connections = new Set<Connection>()
  readonly #watched = new Set<SimulatedProcess>()
  readonly #deps: ConnectionDeps
  #behaviour = FAULTLESS
  #lanes = 0

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler
    this.#random = random.fork('network')
    this.#deps = {
      scheduler,
      random: this.#random,
      struck: (fault, fromId, toId) => this.#struck(fault, fromId, toId),
      ended: (connection) => this.#connections.delete(connection),
    }
  }

  /** Every connection that at least one end takes for open. */
  get connections(): ReadonlySet<Connection> {
    return this.#connections
  }

  /** Sets how every link behaves, those to come too. */
  behave(behaviour: LinkBehaviour): void {
    this.#behaviour = behaviour
    for (const links of this.#links.values()) for (const link of links.values()) link.behaviour = behaviour
  }

  /** One direction between two processes. May be changed at any time, and counts from the next message. */
  link(fromId: string, toId: string): Link {
    let links = this.#links.get(fromId)
    if (links === undefined) {
      links = new Map()
      this.#links.set(fromId, links)
    }
    let link = links.get(toId)
    if (link === undefined) {
      link = { cut: false, behaviour: this.#behaviour }
      links.set(toId, link)
    }
    return link
  }

  /** Cuts the links between two processes, or only the one from `a` to `b`. */
  partition(aId: string, bId: string, ways: 'both' | 'one' = 'both'): void {
    this.link(aId, bId).cut = true
    if (ways === 'both') this.link(bId, aId).cut = true
  }

  heal(aId: string, bId: string): void {
    this.link(aId, bId).cut = false
    this.link(bId, aId).cut = false
  }

  /** Takes connections to `process` from now on. */
  listen(process: SimulatedProcess, accept: Accept): void {
    this.#accepts.set(process, accept)
  }

  stopListening(process: SimulatedProcess): void {
    this.#accepts.delete(process)
  }

  /**
   * Connects two processes.
   *
   * @returns gives up while the connection is not open: the listener hears `closed` (1006) a moment later
   */
  connect(from: SimulatedProcess, to: SimulatedProcess, listener: ConnectListener): () => void {
    this.#watch(from)
    this.#watch(to)
    const there = this.link(from.id, to.id)
    const back = this.link(to.id, from.id)
    const connection = new Connection(this.#deps, { from, to, there, back }, ++this.#lanes)
    let waiting = true
    const fail = () => {
      if (!waiting) return
      waiting = false
      connection.breakOff()
      listener.closed(1006)
    }
    const timeout = this.#scheduler.at(from.trueMs + CONNECT_TIMEOUT_MS, () => from.deliver(fail))
    const open = () => {
      if (!waiting) return
      waiting = false
      this.#scheduler.cancel(timeout)
      this.#connections.add(connection)
      connection.caller.open(listener)
      listener.opened(connection.caller)
    }

    this.#travel(there, from, to, () => {
      const refused = this.#random.chance(there.behaviour.refuseChance)
      if (refused) this.#struck('refused', from.id, to.id)
      if (refused || to.ended || !this.#accepts.has(to)) {
        this.#travel(back, to, from, () => from.deliver(fail))
        return
      }
      to.deliver(() => {
        const arrivesMs = this.#arrival(back, to, from)
        if (arrivesMs !== undefined) connection.acceptor.answersAt(arrivesMs)
        const accepted = this.#accepts.get(to)?.(connection.acceptor, from)
        if (accepted !== undefined) {
          this.#connections.add(connection)
          connection.acceptor.open(accepted)
          if (!waiting) connection.breakOff()
        }
        if (arrivesMs === undefined) return
        this.#scheduler.at(arrivesMs, () => from.deliver(accepted === undefined ? fail : open, connection.lane))
      })
    })
    return () => {
      if (!waiting) return
      waiting = false
      this.#scheduler.cancel(timeout)
      connection.breakOff()
      this.#scheduler.at(from.trueMs, () => from.deliver(() => listener.closed(1006)))
    }
  }

  /**
   * Asks another process: `serve` runs there, what it resolves with travels back.
   *
   * @throws Unreachable when no answer came in time, or nobody is there. Rejections of `serve` travel back as they are.
   */
  request<T>(from: SimulatedProcess, to: SimulatedProcess, serve: () => Promise<T>, timeoutMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const there = this.link(from.id, to.id)
      const back = this.link(to.id, from.id)
      const fail = () => reject(new Unreachable(`${to.id} does not answer ${from.id}.`))
      const timeout = this.#scheduler.at(from.trueMs + timeoutMs, () => from.deliver(fail))
      const answer = (settle: () => void) =>
        this.#travel(back, to, from, () => {
          this.#scheduler.cancel(timeout)
          from.deliver(settle)
        })
      this.#travel(there, from, to, () => {
        if (to.ended) answer(fail)
        else {
          to.deliver(() =>
            serve().then(
              (value) => answer(() => resolve(value)),
              (error) => answer(() => reject(error)),
            ),
          )
        }
      })
    })
  }

  /** Arrives on its own, or never. */
  #travel(link: Link, from: SimulatedProcess, to: SimulatedProcess, arrive: () => void): void {
    const arrivesMs = this.#arrival(link, from, to)
    if (arrivesMs !== undefined) this.#scheduler.at(arrivesMs, arrive)
  }

  #arrival(link: Link, from: SimulatedProcess, to: SimulatedProcess): number | undefined {
    const { delayMs, spikeMs, delayChance, dropChance } = link.behaviour
    const fault = link.cut ? 'partitioned' : this.#random.chance(dropChance) ? 'dropped' : undefined
    if (fault !== undefined) {
      this.#struck(fault, from.id, to.id)
      return undefined
    }
    let arrivesMs = from.trueMs + this.#random.within(delayMs)
    if (this.#random.chance(delayChance)) {
      this.#struck('delayed', from.id, to.id)
      arrivesMs += this.#random.within(spikeMs)
    }
    return arrivesMs
  }

  #struck(fault: NetworkFault, fromId: string, toId: string): void {
    this.counters[fault]++
    this.#scheduler.trace(fault)
    this.onFault(fault, fromId, toId)
  }

  /** The connections of a process break when it ends. */
  #watch(process: SimulatedProcess): void {
    if (this.#watched.has(process)) return
    this.#watched.add(process)
    process.onEnd(() => {
      this.#watched.delete(process)
      this.#accepts.delete(process)
      for (const connection of this.#connections) connection.processEnded(process)
    })
  }
}
