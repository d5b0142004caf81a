import type { Clock } from './clock.ts'

/** A lower-case UUID of any version, the only spelling ids have here (RFC 9562 section 4). */
export const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True for what {@link UUID_PATTERN} describes. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID_PATTERN.test(value)
}

/**
 * A source of time-ordered UUIDs v7 (RFC 9562 section 5.7). Each is greater than the one before, within a millisecond
 * too: the twelve bits after the time count there (section 6.2, method 1).
 *
 * @param randomUuid a new UUID v4, whose last 62 random bits are used
 */
export function createUuidV7Source(clock: Clock, randomUuid: () => string): () => string {
  let lastMs = 0
  let counter = 0
  return () => {
    const nowMs = clock.nowMs()
    counter = nowMs > lastMs ? 0 : counter + 1
    lastMs = Math.max(nowMs, lastMs)
    // A counter that is full borrows from the next millisecond.
    if (counter === 0x1000) {
      counter = 0
      lastMs += 1
    }
    const time = lastMs.toString(16).padStart(12, '0')
    const count = counter.toString(16).padStart(3, '0')
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${randomUuid().slice(19)}`
  }
}
