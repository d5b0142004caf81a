import type { Clocks, FeedSocket, Timers } from '@rescind/protocol'
import { type FeedConnectionListener, openFeedSocket } from './core/index.ts'

/** Where time, randomness and the network come from. Tests and simulations bring their own. */
export interface Environment {
  readonly clocks: Clocks
  readonly timers: Timers
  /** From 0 up to 1. */
  readonly random: () => number
  readonly fetch: typeof fetch
  /**
   * Opens a connection to the feed of the service at `url`; the listener hears from it later, never before this returns.
   */
  readonly connect: (url: string, token: string, listener: FeedConnectionListener) => FeedSocket
}

/** Those of this process. */
export const THIS_PROCESS: Environment = {
  clocks: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
  timers: {
    after: (delayMs, run) => {
      const timer = setTimeout(run, delayMs)
      return () => clearTimeout(timer)
    },
  },
  random: () => Math.random(),
  fetch: (input, init) => fetch(input, init),
  connect: openFeedSocket,
}
