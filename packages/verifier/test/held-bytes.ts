import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Bytes that are still in use once all garbage is gone, on the heap and in array buffers. */
export function heldBytes(): number {
  // Array buffers are freed after what refers to them, and by another thread: not before nothing more is freed, it is over.
  let least = Number.POSITIVE_INFINITY
  for (let sameRounds = 0; sameRounds < 4; ) {
    collectGarbage()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    const isLess = heapUsed + arrayBuffers < least - 1_000
    least = Math.min(least, heapUsed + arrayBuffers)
    sameRounds = isLess ? 0 : sameRounds + 1
  }
  return least
}
