import type { ServiceMessage, VerifierMessage } from '@rescind/protocol'
import type { Attachment } from '../../packages/server/revocations/attachment.ts'
import type { NodeLeaseState } from '../../packages/server/revocations/node-lease.ts'
import type { Sightings } from '../../packages/server/revocations/other-nodes.ts'
import type { Wait } from '../../packages/server/revocations/waiter.ts'
import type { NodeRecord } from '../../packages/server/storage/storage.ts'
import type { FollowerEffect, FollowerState } from '../../packages/verifier/core/follower.ts'

/** A process that follows the service, around the state machine it runs. */
export interface Holder {
  readonly state: FollowerState
  /** What its verifier has applied, whatever the state machine says. */
  readonly appliedSeq: number
  /** Of each lease of the state, the incarnation that granted it. */
  readonly origins: readonly number[]
  /** What the state machine wants done and has not been done. */
  readonly todo: readonly FollowerEffect[]
  /** Counts restarts. */
  readonly process: number
}

/** On its way to the service, in order. */
export type ToNode = VerifierMessage | { readonly type: 'close' }

/** On its way to a holder, in order. */
export type ToHolder = ServiceMessage | { readonly type: 'piece'; readonly seq: number } | { readonly type: 'close' }

export interface Connection {
  /** As the state machine of the holder counts. */
  readonly number: number
  readonly process: number
  readonly isOpen: boolean
  readonly toNode: readonly ToNode[]
  readonly toHolder: readonly ToHolder[]
  /** The other end. */
  readonly session: Session | null
  /** Of the node at the other end; 0 before it took the connection. */
  readonly incarnation: number
}

/** The node's end of a connection. */
export interface Session {
  readonly phase: 'greeting' | 'following' | 'closing'
  readonly sentSeq: number
  /** Sent and not acknowledged. */
  readonly unacknowledged: readonly number[]
}

/** What the node that lives knows of a verifier. */
export interface Attached {
  readonly attachment: Attachment
  /** Process of the holder. */
  readonly process: number
  /** Number of its connection. */
  readonly number: number
}

/** What the service calls a verifier on a connection. */
export function idOf({ process, number }: Pick<Connection, 'process' | 'number'>): string {
  return `${process}.${number}`
}

/** A holder, its connections, and what the node knows of it. */
export interface Side {
  readonly holder: Holder
  /** Oldest first. */
  readonly connections: readonly Connection[]
  /** Oldest first. */
  readonly attached: readonly Attached[]
  /** Nothing comes through, in either direction. */
  readonly isCut: boolean
  /** The holder does nothing, not even what is due. */
  readonly isPaused: boolean
}

export interface NodeProcess {
  readonly incarnation: number
  readonly lease: NodeLeaseState
  readonly appliedSeq: number
  /** The renewal in flight reports this as in force. */
  readonly renewing: { readonly inForceSeq: number } | null
  /** The reading of the members in flight. */
  readonly reading: { readonly askedMs: number; readonly serves: boolean } | null
  readonly sightings: Sightings
  /** Has to read the members for the wait. */
  readonly isUnread: boolean
  readonly request: 'none' | 'committed' | 'waiting' | 'answered'
  readonly wait: Wait | null
  /** When the members were first read for the wait. */
  readonly readMs: number
  /** Where the snapshot stands that it sends. */
  readonly snapshotSeq: number | null
  /** How long the log was when it started. */
  readonly bootSeq: number
}

/** Everything there is, relative to the present. */
export interface World {
  readonly sides: readonly [Side, Side]
  readonly node: NodeProcess | null
  readonly rows: readonly NodeRecord[]
  /** What is committed. */
  readonly headSeq: number
  /** The 201 was sent. */
  readonly isAnswered: boolean
  readonly left: Left
}

/** What may still happen. */
export interface Left {
  readonly crashes: number
  readonly partitions: number
  readonly breaks: number
  readonly stops: number
  readonly pauses: number
  /** Units that pass while somebody has something to do. */
  readonly late: number
  /** Statements that the database takes its time for. */
  readonly slow: number
}
