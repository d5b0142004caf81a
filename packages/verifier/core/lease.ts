/** Permission to decide alone, for a limited time. While it does not hold, nothing may be decided on local knowledge. */
export interface Lease {
  /** Compared with the time at each use: never a flag that a timer has to clear in time. */
  holds(): boolean
}
