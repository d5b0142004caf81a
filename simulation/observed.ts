import type { HeldLease, Position } from '@rescind/protocol'
import type { ServiceVerdict } from '../packages/server/access/check-token.ts'
import type { Deciding } from '../packages/server/start-deciding.ts'
import type { Tables } from './database/tables.ts'
import type { IssuedToken } from './issued-token.ts'
import type { SimulatedProcess } from './process.ts'

/** Reports that an invariant does not hold. */
export type Violate = (invariant: string, what: string) => never

/** A node, as whoever watches it sees it. */
export interface ObservedNode {
  readonly process: SimulatedProcess
  readonly deciding: Deciding | undefined
  readonly nodeId: string
  readonly appliedSeq: number
  readonly position: Position | undefined
  /** Whether it has applied the log as it is now, and no other. */
  readonly isOfLog: boolean
  /** Whether it may decide. */
  holds(): boolean
  /** The leases that let it decide now. */
  decidingLeases(): readonly HeldLease[]
  /** It has applied the log up to `headSeq`, or has not been behind for long. */
  checkDelay(headSeq: number): void
  /** Asks it about a token. */
  verify(token: IssuedToken, beganMs: number): Promise<ServiceVerdict>
}

/** A verifier, as whoever watches it sees it. */
export interface ObservedVerifier {
  readonly process: SimulatedProcess
  readonly appliedSeq: number
  readonly position: Position | undefined
  /** The highest number that it has stood at. */
  readonly furthestSeq: number
  readonly sessions: readonly ObservedSession[]
  /** Whether it may decide. */
  holds(): boolean
  /** The leases that let it decide now, and where they came from. */
  decidingLeases(): readonly { readonly seq: number; readonly session: ObservedSession | undefined }[]
  /** @param holds whether it may decide now */
  checkHistory(holds: boolean): void
  /** A node has taken a connection of it. */
  attachedTo(node: ObservedNode, verifierId: string): void
}

/** One connection between the two, as the node knows it. */
export interface ObservedSession {
  readonly node: ObservedNode
  /** Whoever waits waits for this. */
  isCounted(tables: Tables): boolean
  checkAcknowledged(): void
}
