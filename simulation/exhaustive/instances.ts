import type { Left } from './world.ts'

const NOTHING: Left = { crashes: 0, partitions: 0, breaks: 0, stops: 0, pauses: 0, late: 0, slow: 0 }

/** What may happen to the two holders, the node and the one revocation, at any point, in each run. */
export const INSTANCES: Readonly<Record<string, Left>> = {
  'crash, partition': { ...NOTHING, crashes: 1, partitions: 1 },
  'crash, stop, slow database': { ...NOTHING, crashes: 1, stops: 1, slow: 1 },
  'pause, broken connection': { ...NOTHING, pauses: 1, breaks: 1 },
  'two late units': { ...NOTHING, late: 2 },
}

/** One thing at a time, in a few seconds. */
export const SMALL_INSTANCES: Readonly<Record<string, Left>> = {
  crash: { ...NOTHING, crashes: 1 },
  partition: { ...NOTHING, partitions: 1 },
  'broken connection': { ...NOTHING, breaks: 1 },
  pause: { ...NOTHING, pauses: 1 },
  'late unit': { ...NOTHING, late: 1 },
  'stop, slow database': { ...NOTHING, stops: 1, slow: 1 },
}

/** Up to half a minute each. */
export const LARGE_INSTANCES: Readonly<Record<string, Left>> = {
  'crash, partition, stop': { ...NOTHING, crashes: 1, partitions: 1, stops: 1 },
  'crash, pause': { ...NOTHING, crashes: 1, pauses: 1 },
  'crash, late unit': { ...NOTHING, crashes: 1, late: 1 },
  'crash, broken connection, slow database': { ...NOTHING, crashes: 1, breaks: 1, slow: 1 },
  'partition, late unit': { ...NOTHING, partitions: 1, late: 1 },
  'partition, pause': { ...NOTHING, partitions: 1, pauses: 1 },
  'partition, stop, slow database': { ...NOTHING, partitions: 1, stops: 1, slow: 1 },
  'pause, broken connection, stop': { ...NOTHING, pauses: 1, breaks: 1, stops: 1 },
}

export const ALL_INSTANCES = { ...SMALL_INSTANCES, ...INSTANCES, ...LARGE_INSTANCES }
