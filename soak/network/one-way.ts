import type { Socket } from 'node:net'
import { resetSocket } from './reset-socket.ts'

/** What happens to what travels one way. */
export interface Condition {
  /** Everything arrives this much later, in order. */
  delayMs: number
  /** `hold`: nothing arrives before it is `open` again. `lose`: what is sent never arrives. Nobody is told of either. */
  passage: 'open' | 'hold' | 'lose'
}

type Parcel = { readonly dueMs: number } & (
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'end' }
  | { readonly kind: 'reset' }
)

/**
 * One direction of a connection: what one socket receives, its end included, is passed to the other as the condition
 * permits. The news that a connection was closed or reset is held as long as anything is.
 */
export class OneWay {
  readonly #to: Socket
  readonly #condition: Condition
  #parcels: Parcel[] = []
  #lastDueMs = 0
  #timer: NodeJS.Timeout | undefined
  #hasEnded = false
  #isToBeCut = false
  /** Whether anything was lost: what follows would make no sense to whoever receives it. */
  hasLost = false

  constructor(from: Socket, to: Socket, condition: Condition) {
    this.#to = to
    this.#condition = condition
    // What went wrong is followed by `close`.
    from.on('error', () => {})
    from.on('data', (bytes) => this.#take(bytes))
    from.on('end', () => this.#end('end'))
    from.on('close', () => this.#end('reset'))
  }

  /** Of the bytes that pass next, only the first half does, and the connection ends there. */
  cutMidway(): void {
    this.#isToBeCut = true
  }

  /** Passes on what is due, now that the condition may have changed. */
  pump(): void {
    clearTimeout(this.#timer)
    while (this.#condition.passage === 'open') {
      const [first] = this.#parcels
      if (first === undefined) return
      const waitMs = first.dueMs - performance.now()
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs)
        return
      }
      this.#parcels.shift()
      this.#deliver(first)
    }
  }

  /** Passes nothing on any more. */
  stop(): void {
    this.#parcels = []
    clearTimeout(this.#timer)
  }

  #take(bytes: Buffer): void {
    if (this.#condition.passage === 'lose') this.hasLost = true
    // After a gap, nothing can be passed on: a connection carries everything in order, or ends.
    if (!this.hasLost) this.#enqueue({ kind: 'bytes', bytes, dueMs: this.#dueMs() })
  }

  /** A socket that closes has ended before, or was reset. */
  #end(kind: 'end' | 'reset'): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#enqueue({ kind, dueMs: this.#dueMs() })
  }

  #enqueue(parcel: Parcel): void {
    this.#parcels.push(parcel)
    this.pump()
  }

  #dueMs(): number {
    this.#lastDueMs = Math.max(this.#lastDueMs, performance.now() + this.#condition.delayMs)
    return this.#lastDueMs
  }

  #deliver(parcel: Parcel): void {
    if (parcel.kind === 'reset') resetSocket(this.#to)
    else if (parcel.kind === 'end') this.#to.end()
    else if (this.#isToBeCut) this.#deliverHalf(parcel.bytes)
    else this.#to.write(parcel.bytes)
  }

  #deliverHalf(bytes: Buffer): void {
    this.stop()
    this.#hasEnded = true
    this.#to.end(bytes.subarray(0, Math.floor(bytes.length / 2)))
    this.#to.destroySoon()
  }
}
