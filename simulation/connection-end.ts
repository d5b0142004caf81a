import type { FeedSocket, FeedSocketListener } from '@rescind/protocol'
import type { Link, LinkBehaviour, NetworkFault } from './network-faults.ts'
import type { SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

export interface EndDeps {
  readonly scheduler: Scheduler
  readonly random: Random
  /** Counts a fault that has struck. */
  readonly struck: (fault: NetworkFault, fromId: string, toId: string) => void
}

/** The connection, as its ends see it. */
export interface TwoEnds {
  /** What arrives through the connection waits in one line. */
  readonly lane: number
  otherEnd(end: ConnectionEnd): ConnectionEnd
  halfOpen(told: 'caller' | 'acceptor'): void
  silence(): void
  endClosed(): void
}

/** Bytes that the network takes before a sender sees them pile up. */
const WINDOW_BYTES = 256 * 1024

/** How long an end that closes waits for the other to agree. */
const CLOSE_TIMEOUT_MS = 30_000

/** One end of a connection. */
export class ConnectionEnd implements FeedSocket {
  readonly #deps: EndDeps
  readonly #connection: TwoEnds
  readonly #process: SimulatedProcess
  /** To the other end. */
  readonly #link: Link
  #listener: FeedSocketListener | undefined
  #state: 'unopened' | 'open' | 'closing' | 'closed' = 'unopened'
  /** Neither hears nor is heard. */
  #isolated = false
  /** When the last thing that was sent in order arrives. */
  #lastArrivalMs = 0
  #unreceivedBytes = 0

  constructor(deps: EndDeps, connection: TwoEnds, process: SimulatedProcess, link: Link) {
    this.#deps = deps
    this.#connection = connection
    this.#process = process
    this.#link = link
  }

  get isUp(): boolean {
    return this.#state === 'open' || this.#state === 'closing'
  }

  get bufferedBytes(): number {
    return Math.max(0, this.#unreceivedBytes - WINDOW_BYTES)
  }

  open(listener: FeedSocketListener): void {
    this.#listener = listener
    if (this.#state === 'unopened') this.#state = 'open'
  }

  /** Nothing that this end sends arrives before. */
  answersAt(arrivesMs: number): void {
    this.#lastArrivalMs = arrivesMs
    if (this.#state === 'unopened') this.#state = 'open'
  }

  send(message: string | Uint8Array): void {
    if (this.#state !== 'open') return
    this.#unreceivedBytes += message.length
    if (this.#isLost()) return
    const { scheduler, random } = this.#deps
    const { behaviour } = this.#link
    const fault = drawFault(behaviour, random.next())
    const travelMs = random.within(behaviour.delayMs)
    if (fault !== undefined) {
      this.#strike(fault, message, travelMs)
      return
    }
    scheduler.at(this.#inOrder(travelMs), () => this.#other.#arrive(message, message.length))
  }

  close(code: number): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#sendClose(code)
    this.#deps.scheduler.at(this.#process.trueMs + CLOSE_TIMEOUT_MS, () =>
      this.#process.deliver(() => this.#closed(1006), this.#connection.lane),
    )
  }

  destroy(): void {
    if (!this.isUp) return
    this.breakHere()
    this.#tellBroken()
  }

  /** Closes this end without a word to the other. Its listener hears of it a moment later. */
  breakHere(): void {
    if (!this.isUp) return
    this.#state = 'closed'
    this.#deps.scheduler.at(this.#process.trueMs, () =>
      this.#process.deliver(() => this.#listener?.closed(1006), this.#connection.lane),
    )
    this.#connection.endClosed()
  }

  /** Closes this end, and its listener hears nothing any more; the other end may. */
  vanish(): void {
    this.#state = 'closed'
    this.#listener = undefined
    this.#connection.endClosed()
    this.#tellBroken()
  }

  isolate(): void {
    this.#isolated = true
  }

  get #other(): ConnectionEnd {
    return this.#connection.otherEnd(this)
  }

  /** Nothing overtakes what was sent before. */
  #inOrder(travelMs: number): number {
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, this.#process.trueMs + travelMs)
    return this.#lastArrivalMs
  }

  #strike(fault: MessageFault, message: string | Uint8Array, travelMs: number): void {
    const { scheduler, random } = this.#deps
    const { behaviour } = this.#link
    const arrive = (bytes: number) => () => this.#other.#arrive(message, bytes)
    const { length } = message
    switch (fault) {
      case 'dropped':
        this.#unreceivedBytes -= length
        break
      case 'delayed':
        scheduler.at(this.#inOrder(travelMs + random.within(behaviour.spikeMs)), arrive(length))
        break
      case 'duplicated':
        scheduler.at(this.#inOrder(travelMs), arrive(length))
        scheduler.at(this.#lastArrivalMs + random.within(behaviour.spikeMs), arrive(0))
        break
      case 'reordered':
        scheduler.at(this.#process.trueMs + travelMs + random.within(behaviour.delayMs) * 3, arrive(length))
        break
      case 'half_opened':
        this.#connection.halfOpen(random.chance(0.5) ? 'caller' : 'acceptor')
        return
      case 'silenced':
        this.#connection.silence()
        return
    }
    this.#struck(fault)
  }

  #arrive(message: string | Uint8Array, bytes: number): void {
    if (this.#process.running) this.#receive(message, bytes)
    else this.#process.deliver(() => this.#receive(message, bytes), this.#connection.lane)
  }

  #receive(message: string | Uint8Array, bytes: number): void {
    this.#other.#unreceivedBytes -= bytes
    if (this.isUp && !this.#isolated) this.#listener?.received(message)
  }

  #receiveClose(code: number): void {
    if (!this.isUp || this.#isolated) return
    if (this.#state === 'open') this.#sendClose(code)
    this.#closed(code)
  }

  #closed(code: number): void {
    if (!this.isUp) return
    this.#state = 'closed'
    this.#connection.endClosed()
    this.#listener?.closed(code)
  }

  #sendClose(code: number): void {
    this.#sendNotice(() => this.#other.#receiveClose(code))
  }

  #tellBroken(): void {
    this.#sendNotice(() => {
      if (!this.#other.#isolated) this.#other.#closed(1006)
    })
  }

  /** Late or never, when the link is like that. */
  #sendNotice(notice: () => void): void {
    const { scheduler, random } = this.#deps
    const other = this.#other
    if (other.#state === 'closed' || this.#isLost()) return
    const { delayMs, spikeMs, closeLossChance, closeDelayChance } = this.#link.behaviour
    if (random.chance(closeLossChance)) {
      this.#struck('close_lost')
      return
    }
    let travelMs = random.within(delayMs)
    if (random.chance(closeDelayChance)) {
      this.#struck('close_delayed')
      travelMs += random.within(spikeMs)
    }
    scheduler.at(this.#inOrder(travelMs), () => other.#process.deliver(notice, this.#connection.lane))
  }

  #isLost(): boolean {
    if (this.#isolated) return true
    if (this.#link.cut) this.#struck('partitioned')
    return this.#link.cut
  }

  #struck(fault: NetworkFault): void {
    this.#deps.struck(fault, this.#process.id, this.#other.#process.id)
  }
}

const MESSAGE_FAULTS = [
  ['dropped', 'dropChance'],
  ['delayed', 'delayChance'],
  ['duplicated', 'duplicateChance'],
  ['reordered', 'reorderChance'],
  ['half_opened', 'halfOpenChance'],
  ['silenced', 'silenceChance'],
] as const

type MessageFault = (typeof MESSAGE_FAULTS)[number][0]

/** @param drawn at least 0, less than 1 */
function drawFault(behaviour: LinkBehaviour, drawn: number): MessageFault | undefined {
  let below = 0
  for (const [fault, chance] of MESSAGE_FAULTS) {
    below += behaviour[chance]
    if (drawn < below) return fault
  }
  return undefined
}
