/**
 * The one clock of a run: nanoseconds since it began, on the monotonic clock that all processes of one Linux machine
 * share. So moments that different processes noted can be compared.
 */
export class RunClock {
  /** `process.hrtime.bigint()` when the run began. */
  readonly originNs: bigint

  constructor(originNs = process.hrtime.bigint()) {
    this.originNs = originNs
  }

  /** Exact for the first 104 days. */
  nowNs(): number {
    return Number(process.hrtime.bigint() - this.originNs)
  }
}
