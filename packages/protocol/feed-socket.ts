/** One end of a connection that carries whole messages in order until it closes, such as a WebSocket. */
export interface FeedSocket {
  /** Never throws; what is sent on a connection that has closed is lost. */
  send(message: string | Uint8Array): void
  /** Bytes that were handed over and have not been taken by the network yet. */
  readonly bufferedBytes: number
  /** What was sent before still goes out, and what the other end sent may still come in. */
  close(code: FeedCloseCode): void
  /** Closes at once, whatever is on its way. */
  destroy(): void
}

/** What an end of a connection hears. Nothing after `closed`. */
export interface FeedSocketListener {
  received(message: string | Uint8Array): void
  /** `code` as in RFC 6455 section 7.4; 1006 when the connection broke off. */
  closed(code: number): void
}

/** Why an end closes a connection: RFC 6455 section 7.4 and, from 4000 on, our own. */
export const FEED_CLOSE = {
  /** The other end is done with the connection. */
  done: 1000,
  /** The service shuts down, or cannot read its log. */
  going_away: 1001,
  /** A message that cannot be read, or has no place where it came. */
  bad_message: 4400,
  /** The credential of the connection ended. */
  credential_ended: 4401,
  /** Nothing was heard for too long. */
  silent: 4408,
  /** What was applied is not what the log says. */
  log_mismatch: 4409,
  /** The messages of the connection pile up: its other end does not keep up. */
  too_slow: 4413,
} as const

export type FeedCloseCode = (typeof FEED_CLOSE)[keyof typeof FEED_CLOSE]
