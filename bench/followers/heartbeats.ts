import type { FeedSocket } from '@rescind/protocol'
import type { FeedConnectionListener } from '@rescind/verifier/core'

/** How the messages begin; a verifier may be sent thousands a second that are none of these, so they are not parsed twice. */
const RENEWAL = '{"type":"renew"'
const GRANT = '{"type":"grant"'

/** How long the grants of a verifier took, from asking for them on, as the verifier sees it. */
export class Heartbeats {
  #tookMs: number[] = []
  #askedMs = 0

  /** @param open opens the connection, which is told to the listener it is given */
  watch(listener: FeedConnectionListener, open: (listener: FeedConnectionListener) => FeedSocket): FeedSocket {
    const socket = open({
      opened: () => listener.opened(),
      refused: (why) => listener.refused?.(why),
      closed: (code) => listener.closed(code),
      received: (message) => {
        if (typeof message === 'string' && message.startsWith(GRANT)) {
          this.#tookMs.push(performance.now() - this.#askedMs)
        }
        listener.received(message)
      },
    })
    return {
      send: (message) => {
        if (typeof message === 'string' && message.startsWith(RENEWAL)) this.#askedMs = performance.now()
        socket.send(message)
      },
      get bufferedBytes() {
        return socket.bufferedBytes
      },
      close: (code) => socket.close(code),
      destroy: () => socket.destroy(),
    }
  }

  /** What took place since the last time, in milliseconds each. */
  take(): readonly number[] {
    const tookMs = this.#tookMs
    this.#tookMs = []
    return tookMs
  }
}
