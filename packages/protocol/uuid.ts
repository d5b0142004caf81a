import type { Clock } from './clock.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True for a lower-case UUID of any version, the only spelling ids have here (RFC 9562 section 4). */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value)
}

/**
 * A source of time-ordered UUIDs v7 (RFC 9562 section 5.7). Each is greater than the one before, within a millisecond
 * too: the twelve bits after the time count there (section 6.2, method 1).
 *
 * @param randomBytes that many secure random bytes
 */
export function createUuidV7Source(clock: Clock, randomBytes: (count: number) => Uint8Array): () => string {
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
    const bytes = Buffer.alloc(16)
    bytes.writeUIntBE(lastMs, 0, 6)
    bytes.writeUInt16BE(0x7000 | counter, 6)
    bytes.set(randomBytes(8), 8)
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
    const hex = bytes.toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }
}
