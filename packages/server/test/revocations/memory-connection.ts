import type { FeedCloseCode, FeedSocket, FeedSocketListener } from '@rescind/protocol'
import type { Message } from '../../../protocol/test/mutator.ts'

/** One end of a connection. What it sends waits until it is delivered. */
export class MemorySocket implements FeedSocket {
  readonly outgoing: Message[] = []
  bufferedBytes = 0
  closeCode: FeedCloseCode | undefined
  isDestroyed = false
  /** Hears what is sent, before anything becomes of it. */
  onSend: (message: Message) => void = () => {}

  send(message: Message): void {
    if (this.closeCode !== undefined || this.isDestroyed) return
    this.onSend(message)
    this.outgoing.push(message)
  }

  close(code: FeedCloseCode): void {
    this.closeCode ??= code
  }

  destroy(): void {
    this.isDestroyed = true
  }

  get isBusy(): boolean {
    return this.outgoing.length > 0 || this.closeCode !== undefined || this.isDestroyed
  }
}

interface End {
  readonly socket: MemorySocket
  readonly listener: FeedSocketListener
}

/** A connection in memory, moved by hand: nothing is delivered by itself, and everything in order. */
export class MemoryConnection {
  readonly verifier: End
  readonly service: End
  readonly #opened: () => void
  #isOpened = false
  #isOver = false

  constructor(verifier: FeedSocketListener & { opened(): void }, accept: (socket: FeedSocket) => FeedSocketListener) {
    this.verifier = { socket: new MemorySocket(), listener: verifier }
    this.#opened = () => verifier.opened()
    const socket = new MemorySocket()
    this.service = { socket, listener: accept(socket) }
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Whether something is on its way. */
  get isBusy(): boolean {
    return !this.#isOver && (!this.#isOpened || this.verifier.socket.isBusy || this.service.socket.isBusy)
  }

  /**
   * Delivers what is on its way next, in the direction that `chance` decides when it could be both. When there is
   * nothing and its sender has closed, that is heard at both ends.
   *
   * @param pass what becomes of a message
   */
  deliver(chance: number, pass: (message: Message, to: 'service' | 'verifier') => readonly Message[]): void {
    if (this.#isOver) return
    if (!this.#isOpened) {
      this.#isOpened = true
      this.#opened()
    } else if (this.verifier.socket.isDestroyed || this.service.socket.isDestroyed) this.break()
    else {
      const isBusyBothWays = this.verifier.socket.isBusy && this.service.socket.isBusy
      const isUp = isBusyBothWays ? chance < 0.5 : this.verifier.socket.isBusy
      const [from, to] = isUp ? [this.verifier, this.service] : [this.service, this.verifier]
      const message = from.socket.outgoing.shift()
      if (message !== undefined) {
        for (const each of pass(message, isUp ? 'service' : 'verifier')) to.listener.received(each)
      } else if (from.socket.closeCode !== undefined) {
        this.#isOver = true
        to.listener.closed(from.socket.closeCode)
        from.listener.closed(from.socket.closeCode)
      }
    }
  }

  /** What was on its way is lost. */
  break(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.service.listener.closed(1006)
    this.verifier.listener.closed(1006)
  }
}
