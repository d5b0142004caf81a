import { AttachedVerifier } from '../../packages/verifier/core/attached-verifier.ts'
import { openFeedSocket } from '../../packages/verifier/core/web-socket.ts'
import { Heartbeats } from './heartbeats.ts'

/** A verifier as an application runs it, in this process. */
export interface Attached {
  readonly verifier: AttachedVerifier
  readonly heartbeats: Heartbeats
  /** Resolves when the service knows that this verifier has stopped deciding. */
  close(): Promise<void>
}

/**
 * Attaches a verifier to the service at `url`. Resolves when it may decide. From then on until it is closed, whatever
 * keeps it from deciding is a fault of what is measured, and thrown where nobody catches it.
 *
 * @param token with the scope `feed`
 */
export async function attach(url: string, token: string): Promise<Attached> {
  const heartbeats = new Heartbeats()
  const caughtUp = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  let isClosing = false
  const verifier = new AttachedVerifier({
    connect: (listener) =>
      heartbeats.watch(listener, (watched) =>
        openFeedSocket(url, token, {
          ...watched,
          closed: (code) => {
            watched.closed(code)
            if (!isClosing) throw new Error(`The connection of an attached verifier was closed with ${code}`)
            closed.resolve()
          },
        }),
      ),
    clocks: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    timers: {
      after: (delayMs, run) => {
        const timer = setTimeout(run, delayMs)
        return () => clearTimeout(timer)
      },
    },
    random: () => Math.random(),
    onNotice: (notice) => {
      if (notice === 'caught_up') caughtUp.resolve()
      else if (!isClosing) throw new Error(`An attached verifier tells of this: ${notice}`)
    },
  })
  verifier.start()
  await caughtUp.promise
  return {
    verifier,
    heartbeats,
    close: () => {
      isClosing = true
      verifier.close()
      return closed.promise
    },
  }
}
