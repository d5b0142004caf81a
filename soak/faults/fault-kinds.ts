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
  /** SIGSTOP, then SIGCONT. */
  service_stopped: 'service',
  /** What is sent between a verifier and the service arrives late, both ways. */
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
  /** SIGKILL of one session's process, after which the server ends all sessions and recovers. */
  backend_killed: 'database',
  /** SIGKILL of all its processes; started again on the same data and the same port. */
  database_killed: 'database',
  /** SIGSTOP of all its processes, then SIGCONT. */
  database_stopped: 'database',
  /** The same of its synchronous standby. */
  standby_stopped: 'database',
  /** SIGKILL of the primary, for ever; its standby takes its place. */
  failover: 'database',
  /** Between a service and the database, as those between a verifier and the service. */
  database_delayed: 'database link',
  database_cut_midway: 'database link',
  database_refused: 'database link',
  database_half_open: 'database link',
  database_stalled: 'database link',
  database_mute_up: 'database link',
  database_mute_down: 'database link',
} as const

export type FaultKind = keyof typeof FAULT_KINDS

/** What faults take hold of. */
export type Taken = (typeof FAULT_KINDS)[FaultKind]

export const FAULT_KIND_LIST = Object.keys(FAULT_KINDS) as readonly FaultKind[]

/** What ends with a SIGKILL and comes back after a while. */
export const CRASHES: ReadonlySet<FaultKind> = new Set([
  'service_killed',
  'backend_killed',
  'database_killed',
  'failover',
])
