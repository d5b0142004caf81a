import type { Range } from '../random.ts'

/** What can happen between a node and the database, and in the database. */
export const DATABASE_FAULTS = [
  /** A statement or its answer took long. */
  'db_delayed',
  /** A statement never arrived. */
  'db_request_lost',
  /** A statement had its effect, and whoever sent it never heard. */
  'db_reply_lost',
  /** A statement or its answer met a link that is cut. */
  'db_partitioned',
  /** A transaction whose COMMIT had arrived was lost with the database. */
  'db_commit_lost',
  /** A transaction is committed, and whoever sent it was told that the storage is unavailable. */
  'db_in_doubt',
  /** No standby confirmed a commit in time: it can be seen, and may be lost. */
  'db_unconfirmed',
  /** A commit that can be seen at the former primary only. */
  'db_lost_in_failover',
  /** A commit that was in doubt when the primary was lost, and that the standby had received. */
  'db_kept_in_failover',
  /** A connection for notifications broke. */
  'db_notifications_lost',
  /** A statement met a database that is down. */
  'db_down',
  /** A transaction was ended because it would have waited for itself. */
  'db_deadlock',
  /** A transaction was ended because it waited too long for a row. */
  'db_lock_timeout',
  /** A transaction was ended because another one did first what cannot be done twice. */
  'db_conflict',
  /** A transaction was rolled back because whoever began it was gone, or kept others waiting and did nothing. */
  'db_abandoned',
] as const

export type DatabaseFault = (typeof DATABASE_FAULTS)[number]

/** How the link between a node and the database behaves, in both directions. Chances are for each statement. */
export interface DatabaseLinkBehaviour {
  /** One way. */
  readonly delayMs: Range
  /** On top, for what is delayed. */
  readonly spikeMs: Range
  readonly delayChance: number
  readonly requestLossChance: number
  readonly replyLossChance: number
}

export interface DatabaseBehaviour {
  readonly link: DatabaseLinkBehaviour
  /** From the arrival of COMMIT until the transaction is durable and visible. */
  readonly commitMs: Range
  /** How long a commit waits for the standby. */
  readonly confirmMs: Range
  /** How long a node waits for an answer. More than the two former. */
  readonly timeoutMs: number
  /** How long a transaction waits for a row. Less than the former. */
  readonly lockTimeoutMs: number
  /** A transaction that keeps others waiting and did nothing for so long is rolled back. */
  readonly idleMs: number
  /** Until a transaction is rolled back whose node is gone. */
  readonly abandonedMs: Range
  /** How likely a connection for notifications breaks instead of passing one on. */
  readonly notificationLossChance: number
}

export const FAULTLESS_DATABASE: DatabaseBehaviour = {
  link: { delayMs: [0.1, 1], spikeMs: [10, 4_000], delayChance: 0, requestLossChance: 0, replyLossChance: 0 },
  commitMs: [0.5, 5],
  confirmMs: [300, 2_500],
  timeoutMs: 3_000,
  lockTimeoutMs: 1_000,
  idleMs: 1_000,
  abandonedMs: [100, 3_000],
  notificationLossChance: 0,
}
