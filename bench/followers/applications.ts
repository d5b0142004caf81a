import type { FeedSocket } from '@rescind/protocol'
import { machineMs } from './machine-ms.ts'

/** How the message begins that a verifier sends as soon as it has applied entries. */
const APPLIED = '{"type":"applied"'

/** What one verifier applied, in order. */
export interface Applied {
  /** Of the service that it is attached to. */
  readonly port: number
  readonly upTo: readonly {
    /** Everything up to this entry. */
    readonly seq: number
    /** As {@link machineMs} tells it. */
    readonly atMs: number
  }[]
}

/** When a verifier applied what, as it acknowledges it itself. */
export class Applications {
  readonly #port: number
  #upTo: { seq: number; atMs: number }[] = []

  constructor(port: number) {
    this.#port = port
  }

  watch(socket: FeedSocket): FeedSocket {
    return {
      send: (message) => {
        if (typeof message === 'string' && message.startsWith(APPLIED)) {
          this.#upTo.push({ seq: JSON.parse(message).seq, atMs: machineMs() })
        }
        socket.send(message)
      },
      get bufferedBytes() {
        return socket.bufferedBytes
      },
      close: (code) => socket.close(code),
      destroy: () => socket.destroy(),
    }
  }

  /** What it applied since the last time. */
  take(): Applied {
    const upTo = this.#upTo
    this.#upTo = []
    return { port: this.#port, upTo }
  }
}
