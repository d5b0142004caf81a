/** What a process holds, in bytes, once all garbage is gone. */
export interface MemorySample {
  readonly heap: number
  /** Outside of the heap: buffers, mostly. */
  readonly external: number
  readonly rss: number
}

/** Needs `--expose-gc`. */
export function sampleMemory(): MemorySample {
  if (gc === undefined) throw new Error('Garbage cannot be collected without --expose-gc')
  // Array buffers are freed a collection later than what refers to them.
  for (let round = 0; round < 4; round += 1) gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed, external, rss }
}
