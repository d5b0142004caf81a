import { type HeldLease, type Instant, permittedMs, renewalIntervalMs, usefulLeases } from '@rescind/protocol'

/**
 * The lease of a node: its permission to decide and to grant. It comes from its row among the members, which is
 * committed before the log is read and outlives everything the node ever granted.
 */
export interface NodeLeaseState {
  readonly phase: 'outside' | 'joining' | 'member' | 'leaving' | 'left'
  /** Names this process, and since its last joining. */
  readonly nodeId: string
  /** What the row says: no lease of this node, or granted by it, is longer. */
  readonly leaseMs: number
  /** Oldest first. Those after the first name entries that are still to come. */
  readonly leases: readonly HeldLease[]
  /** When the renewal in flight was sent. */
  readonly renewing: Instant | null
  /** When to renew, on the monotonic clock. */
  readonly renewAtMs: number
}

export type NodeLeaseEvent =
  /** @param nodeId never used before */
  | { readonly type: 'join'; readonly nodeId: string }
  /** The row is committed. */
  | { readonly type: 'joined' }
  | { readonly type: 'join_failed' }
  /** The time of `renewAtMs` has come. */
  | { readonly type: 'due' }
  /** The node was asked to decide and may not: its process may have been suspended, and its timers with it. */
  | { readonly type: 'missed' }
  /** The renewal was committed, and read this head. */
  | { readonly type: 'renewed'; readonly headSeq: number; readonly appliedSeq: number }
  /** It is not known whether it was. */
  | { readonly type: 'renewal_failed' }
  /** There is no such row any more. */
  | { readonly type: 'not_member' }
  /** Grant nothing more, and do not renew. */
  | { readonly type: 'leave' }
  /** Every grant has ended. */
  | { readonly type: 'all_gone' }

export type NodeLeaseEffect =
  | { readonly type: 'join'; readonly nodeId: string; readonly leaseMs: number }
  | { readonly type: 'renew'; readonly nodeId: string }
  /** Remove the row. */
  | { readonly type: 'leave'; readonly nodeId: string }
  /** A new node id is needed: send `join` with it. */
  | { readonly type: 'rejoin' }

/** After a renewal that came to nothing. */
const RETRY_SHARE = 1 / 4

export function newNodeLease(leaseMs: number): NodeLeaseState {
  return { phase: 'outside', nodeId: '', leaseMs, leases: [], renewing: null, renewAtMs: 0 }
}

/** Whether the node may decide at `now`. */
export function nodeMayDecide({ leases }: NodeLeaseState, appliedSeq: number, now: Instant): boolean {
  return permittedMs(leases, appliedSeq, now) > 0
}

/** The longest lease the node may grant at `now`; zero or less when it may grant none. */
export function grantableMs(state: NodeLeaseState, appliedSeq: number, now: Instant): number {
  return state.phase === 'member' ? permittedMs(state.leases, appliedSeq, now) : 0
}

/** The next state, and what has to be done. Pure. */
export function holdNodeLease(
  state: NodeLeaseState,
  event: NodeLeaseEvent,
  now: Instant,
): { readonly state: NodeLeaseState; readonly effects: readonly NodeLeaseEffect[] } {
  const renewAtMs = now.monotonicMs + renewalIntervalMs(state.leaseMs)
  const retryAtMs = now.monotonicMs + renewalIntervalMs(state.leaseMs) * RETRY_SHARE
  switch (event.type) {
    case 'join':
      if (state.phase !== 'outside') return { state, effects: [] }
      return {
        state: { ...state, phase: 'joining', nodeId: event.nodeId, leases: [] },
        effects: [{ type: 'join', nodeId: event.nodeId, leaseMs: state.leaseMs }],
      }
    case 'joined':
      return state.phase === 'joining' ? renew({ ...state, phase: 'member' }, now) : { state, effects: [] }
    case 'join_failed':
      return state.phase === 'joining'
        ? { state: { ...state, phase: 'outside', renewAtMs: retryAtMs }, effects: [] }
        : { state, effects: [] }
    case 'due':
      if (now.monotonicMs < state.renewAtMs || state.renewing !== null) return { state, effects: [] }
      if (state.phase === 'outside') return { state: { ...state, renewAtMs: retryAtMs }, effects: [{ type: 'rejoin' }] }
      return state.phase === 'member' ? renew(state, now) : { state, effects: [] }
    case 'missed':
      // Not again and again while the members cannot be reached.
      return state.phase === 'member' && state.renewing === null && state.renewAtMs > retryAtMs
        ? renew(state, now)
        : { state, effects: [] }
    case 'renewed':
      if (state.renewing === null) return { state, effects: [] }
      return {
        state: {
          ...state,
          // Counted from before the renewal was sent; the head was read after.
          leases: [
            ...usefulLeases(state.leases, event.appliedSeq, now),
            { since: state.renewing, grantedMs: state.leaseMs, seq: event.headSeq },
          ],
          renewing: null,
          renewAtMs,
        },
        effects: [],
      }
    case 'renewal_failed':
      return { state: { ...state, renewing: null, renewAtMs: retryAtMs }, effects: [] }
    case 'not_member':
      // Somebody waited for this node to end, and counts on it: what it held and granted is void, and its id with it.
      return state.phase === 'member'
        ? {
            state: { ...state, phase: 'outside', leases: [], renewing: null, renewAtMs: retryAtMs },
            effects: [{ type: 'rejoin' }],
          }
        : { state: { ...state, leases: [], renewing: null }, effects: [] }
    case 'leave':
      return { state: { ...state, phase: 'leaving' }, effects: [] }
    case 'all_gone':
      if (state.phase !== 'leaving') return { state, effects: [] }
      // It stops deciding before the row goes: from then on nobody waits for it.
      return {
        state: { ...state, phase: 'left', leases: [], renewing: null },
        effects: [{ type: 'leave', nodeId: state.nodeId }],
      }
  }
}

function renew(state: NodeLeaseState, now: Instant): { state: NodeLeaseState; effects: NodeLeaseEffect[] } {
  return { state: { ...state, renewing: now }, effects: [{ type: 'renew', nodeId: state.nodeId }] }
}
