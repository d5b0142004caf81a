import { FEED_PATH, type FeedSocket, type FeedSocketListener } from '@rescind/protocol'

/**
 * Connects to the feed of the service at `url` with Node's own WebSocket.
 *
 * @param url of the service, `http:` or `https:`, with or without a path in front of its own
 * @param token with the scope `feed`
 */
export function openFeedSocket(
  url: string,
  token: string,
  listener: FeedSocketListener & { opened(): void },
): FeedSocket {
  const headers = { authorization: `Bearer ${token}` }
  const socket = new WebSocket(url.replace(/^http/, 'ws').replace(/\/$/, '') + FEED_PATH, { headers })
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('open', () => listener.opened())
  socket.addEventListener('message', ({ data }: { data: unknown }) => {
    if (typeof data === 'string') listener.received(data)
    else if (data instanceof ArrayBuffer) listener.received(new Uint8Array(data))
  })
  socket.addEventListener('close', ({ code }) => listener.closed(code))
  // What went wrong is followed by `close`.
  socket.addEventListener('error', () => {})
  return {
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(message)
    },
    get bufferedBytes() {
      return socket.bufferedAmount
    },
    close: (code) => {
      // Before the connection stands, a code of our own is not allowed.
      if (socket.readyState === WebSocket.OPEN) socket.close(code)
      else socket.close()
    },
    destroy: () => socket.close(),
  }
}
