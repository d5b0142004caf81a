import { FEED_PATH, type FeedSocket, type FeedSocketListener, MAX_FEED_MESSAGE_BYTES } from '@rescind/protocol'
import { type ClientOptions, WebSocket } from 'ws'

/** What a verifier hears of a connection that it opens. */
export interface FeedConnectionListener extends FeedSocketListener {
  opened(): void
  /**
   * It will not open; `closed` follows. With the status of an answer that was none to a WebSocket (RFC 6455 section
   * 4.1), or with what went wrong before there was one.
   */
  refused?(why: { readonly status: number } | { readonly cause: Error }): void
}

/** For the other end to answer a goodbye; then the connection is cut off. */
const CLOSE_TIMEOUT_MS = 2_000

/**
 * Connects to the feed of the service at `url`. Not with Node's own WebSocket: when the other end is silent that cannot
 * be cut off, and does not say why it was refused.
 *
 * @param url of the service, `http:` or `https:`, with or without a path in front of its own
 * @param token with the scope `feed`
 */
export function openFeedSocket(url: string, token: string, listener: FeedConnectionListener): FeedSocket {
  const options: ClientOptions & { readonly closeTimeout: number } = {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
    maxPayload: MAX_FEED_MESSAGE_BYTES,
    closeTimeout: CLOSE_TIMEOUT_MS,
  }
  const socket = new WebSocket(url.replace(/^http/, 'ws').replace(/\/$/, '') + FEED_PATH, options)
  let isExplained = false
  const explain = (why: { readonly status: number } | { readonly cause: Error }) => {
    if (isExplained) return
    isExplained = true
    listener.refused?.(why)
  }
  socket.on('open', () => {
    isExplained = true
    listener.opened()
  })
  socket.on('message', (data: Buffer, isBinary) => listener.received(isBinary ? data : data.toString()))
  socket.on('unexpected-response', (_request, { statusCode = 0 }) => {
    explain({ status: statusCode })
    socket.terminate()
  })
  // After it was opened, `close` says all that matters.
  socket.on('error', (cause) => explain({ cause }))
  socket.on('close', (code) => listener.closed(code))
  return {
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(message)
    },
    get bufferedBytes() {
      return socket.bufferedAmount
    },
    close: (code) => socket.close(code),
    destroy: () => socket.terminate(),
  }
}
