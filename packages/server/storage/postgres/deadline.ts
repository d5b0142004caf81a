import { type Timers, Unavailable } from '@rescind/protocol'

/** How long a caller waits for the database at most, whatever queues before it. Milliseconds. */
export const DEADLINE_MS = 5_000

/**
 * Gives up on an answer that takes longer. What was asked for goes on, and may still happen.
 *
 * @throws Unavailable
 */
export function inTime<T>(timers: Timers, answer: Promise<T>, onLate: () => void = () => {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = timers.after(DEADLINE_MS, () => {
      onLate()
      const cause = new Error(`The database did not answer within ${DEADLINE_MS} ms.`)
      reject(new Unavailable('storage_unavailable', { cause }))
    })
    answer.finally(cancel).then(resolve, reject)
  })
}
