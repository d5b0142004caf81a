/** The clocks, the timers and the chance of this process, for whatever is wired together. */

import { randomUUID } from 'node:crypto'
import { type Clocks, createUuidV7Source, type Timers } from '@rescind/protocol'

export const clocks: Clocks = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }

export const timers: Timers = {
  after: (delayMs, run) => {
    // Nothing that waits keeps a process alive that has nothing else to do.
    const timer = setTimeout(run, delayMs).unref()
    return () => clearTimeout(timer)
  },
}

/** For a command that has nothing to do but to wait: its process must not end before it has. */
export const timersOfCommand: Timers = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

export const newId = createUuidV7Source(clocks, randomUUID)
