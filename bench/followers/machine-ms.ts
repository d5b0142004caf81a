const NS_PER_MS = 1e6

/** Milliseconds on the monotonic clock of this machine: what one process reads can be compared with what another does. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / NS_PER_MS
}
