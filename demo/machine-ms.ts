/**
 * Milliseconds on the monotonic clock of this machine. All of its processes read the same clock, so what they recorded
 * can be compared to the microsecond.
 */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
