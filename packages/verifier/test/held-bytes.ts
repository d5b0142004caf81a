import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Bytes that are still in use once all garbage is gone, on the heap and in array buffers. */
export function heldBytes(): number {
  // Array buffers are freed a collection later than what refers to them.
  for (let round = 0; round < 4; round++) collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
