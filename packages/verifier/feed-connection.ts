import { FEED_CLOSE, type FeedCloseCode, type FeedSocket } from '@rescind/protocol'
import type { FeedConnectionListener } from './core/index.ts'

interface Deps {
  /** Gives the credential of the connection. */
  readonly obtain: () => Promise<string>
  readonly open: (token: string, listener: FeedConnectionListener) => FeedSocket
  /** Told when no credential could be obtained; the connection is closed then. */
  readonly onFault: (fault: unknown) => void
}

/** A connection to the feed that begins with obtaining a credential for it. */
export class FeedConnection implements FeedSocket {
  readonly #listener: FeedConnectionListener
  #socket: FeedSocket | undefined
  #hasOpened = false
  #hasClosed = false
  #isGivenUp = false

  constructor(listener: FeedConnectionListener, deps: Deps) {
    this.#listener = listener
    void this.#begin(deps)
  }

  get hasOpened(): boolean {
    return this.#hasOpened
  }

  /** Whether it was closed at this end. */
  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  get hasClosed(): boolean {
    return this.#hasClosed
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedBytes ?? 0
  }

  send(message: string | Uint8Array): void {
    this.#socket?.send(message)
  }

  close(code: FeedCloseCode): void {
    this.#isGivenUp = true
    if (this.#socket === undefined) this.#closed(code)
    else this.#socket.close(code)
  }

  destroy(): void {
    this.#isGivenUp = true
    if (this.#socket === undefined) this.#closed(FEED_CLOSE.done)
    else this.#socket.destroy()
  }

  async #begin({ obtain, open, onFault }: Deps): Promise<void> {
    try {
      const token = await obtain()
      if (!this.#hasClosed) this.#socket = open(token, this.#heard())
    } catch (fault) {
      onFault(fault)
      this.#closed(1006)
    }
  }

  #heard(): FeedConnectionListener {
    return {
      opened: () => {
        this.#hasOpened = true
        this.#listener.opened()
      },
      received: (message) => this.#listener.received(message),
      refused: (why) => this.#listener.refused?.(why),
      closed: (code) => this.#closed(code),
    }
  }

  #closed(code: number): void {
    if (this.#hasClosed) return
    this.#hasClosed = true
    this.#listener.closed(code)
  }
}
