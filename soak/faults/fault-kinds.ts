/**
 * What can go wrong, and what it takes hold of: two faults that take hold of the same thing follow one another. Every
 * kind is made by a process, a signal or a socket; none knows what the service is made of.
 */
export const FAULT_KINDS = {
  /** SIGKILL; another process takes its place. */
  verifier_killed: 'verifier',
  /** SIGSTOP, for up to three leases, then SIGCONT. */
  verifier_stopped: 'verifier',
  /** SIGKILL; started again on the same data and the same port. */
  service_killed: 'service',
  /** What is sent arrives late, both ways. */
  delayed: 'link',
  /** Every connection ends in the middle of what it carries. */
  cut_midway: 'link',
  /** Connections are reset, new ones too. */
  refused: 'link',
  /** Connections stay and new ones are accepted, but everything is lost, and no end hears that the other closed. */
  half_open: 'link',
  /** The same, but everything arrives in the end. */
  stalled: 'link',
  /** From the verifier to the service alone, lost or late. */
  mute_up: 'link',
  /** From the service to the verifier alone, lost or late. */
  mute_down: 'link',
} as const

export type FaultKind = keyof typeof FAULT_KINDS

export const FAULT_KIND_LIST = Object.keys(FAULT_KINDS) as readonly FaultKind[]
