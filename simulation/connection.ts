import { ConnectionEnd, type EndDeps, type TwoEnds } from './connection-end.ts'
import type { Link } from './network-faults.ts'
import type { SimulatedProcess } from './process.ts'

export interface ConnectionDeps extends EndDeps {
  /** No end takes the connection for open any more. */
  readonly ended: (connection: Connection) => void
}

/** Who is connected, and over which links. */
interface Route {
  readonly from: SimulatedProcess
  readonly to: SimulatedProcess
  readonly there: Link
  readonly back: Link
}

/** A connection between two processes: two ends that may come to disagree on whether it is there. */
export class Connection implements TwoEnds {
  /** Of whoever connected. */
  readonly caller: ConnectionEnd
  /** Of whoever was connected to. */
  readonly acceptor: ConnectionEnd
  readonly lane: number
  readonly #deps: ConnectionDeps
  readonly #route: Route

  constructor(deps: ConnectionDeps, route: Route, lane: number) {
    this.lane = lane
    this.#deps = deps
    this.#route = route
    this.caller = new ConnectionEnd(deps, this, route.from, route.there)
    this.acceptor = new ConnectionEnd(deps, this, route.to, route.back)
  }

  otherEnd(end: ConnectionEnd): ConnectionEnd {
    return end === this.caller ? this.acceptor : this.caller
  }

  /** One end is told that the connection broke; the other hears nothing ever again, and nobody hears it. */
  halfOpen(told: 'caller' | 'acceptor'): void {
    this.#deps.struck('half_opened', this.#route.from.id, this.#route.to.id)
    this[told].breakHere()
    this.otherEnd(this[told]).isolate()
  }

  /** Nothing passes any more, and nobody is told. */
  silence(): void {
    this.#deps.struck('silenced', this.#route.from.id, this.#route.to.id)
    this.caller.isolate()
    this.acceptor.isolate()
  }

  /** The caller has given up before it heard that the connection is open. */
  breakOff(): void {
    this.caller.vanish()
  }

  /** The end of a process that is gone; the network of its machine tells the other. */
  processEnded(process: SimulatedProcess): void {
    if (process === this.#route.from) this.caller.vanish()
    if (process === this.#route.to) this.acceptor.vanish()
  }

  endClosed(): void {
    if (!this.caller.isUp && !this.acceptor.isUp) this.#deps.ended(this)
  }
}
