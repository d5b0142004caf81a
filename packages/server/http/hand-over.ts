import type { FeedSocket, FeedSocketListener } from '@rescind/protocol'
import type { RawData, WebSocket } from 'ws'

/**
 * Hands a WebSocket over as a connection of the feed.
 *
 * @param accept gives what hears everything that comes over it
 */
export function handOver(webSocket: WebSocket, accept: (socket: FeedSocket) => FeedSocketListener): void {
  const listener = accept({
    send: (message) => {
      if (webSocket.readyState === webSocket.OPEN) webSocket.send(message)
    },
    get bufferedBytes() {
      return webSocket.bufferedAmount
    },
    close: (code) => webSocket.close(code),
    destroy: () => webSocket.terminate(),
  })
  webSocket.on('message', (data, isBinary) => listener.received(isBinary ? bytesOf(data) : bytesOf(data).toString()))
  // Frames that break the protocol, or a message that is too long. It closes the connection, and is no message of the feed.
  webSocket.on('error', () => listener.received(''))
  webSocket.on('close', (code) => listener.closed(code))
}

/** Messages come in one piece unless asked for otherwise. */
function bytesOf(data: RawData): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.concat([data].flat().map((part) => new Uint8Array(part)))
}
