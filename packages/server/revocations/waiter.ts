import { type InForce, leaseEndMs } from '@rescind/protocol'
import type { NodeRecord } from '../storage/storage.ts'
import { type Attachment, coveredSeq, lapseMs } from './attachment.ts'

/**
 * The wait for an entry to be in force: applied by, or lapsed at, everyone who may decide. Times are on the monotonic
 * clock of the node that waits, whatever became of its wall clock.
 *
 * It begins when the entry is committed, and goes on once the members have been read after that: a node that joins later
 * reads the entry before it decides. From then on it can only end, at the latest one lease after they were read, since
 * every lease that does not name the entry was given before it was committed.
 */
export interface Wait {
  readonly seq: number
  readonly sinceMs: number
  /** Other nodes that had not reported the entry when the members were read; `null` before that. */
  readonly others: readonly AwaitedNode[] | null
  /** Verifiers of this node that had not applied the entry at some moment of the wait. */
  readonly awaited: ReadonlySet<string>
  readonly applied: number
  readonly waitedOut: number
}

interface AwaitedNode {
  readonly nodeId: string
  readonly endsMs: number
}

/** What this node knows itself. */
export interface View {
  readonly nodeId: string
  /** What this node has applied. */
  readonly appliedSeq: number
  readonly attachments: Iterable<Attachment>
}

export type WaitEvent =
  /** Read after the entry was committed. */
  | { readonly type: 'members'; readonly members: readonly NodeRecord[] }
  /** Something changed, or the time has come. */
  | { readonly type: 'look' }

export type WaitEffect =
  | { readonly type: 'in_force'; readonly outcome: InForce }
  /** Look again at this time, unless something changes before. */
  | { readonly type: 'wake'; readonly atMs: number }

/** @param seq of an entry that is committed */
export function beginWait(seq: number, nowMs: number): Wait {
  return { seq, sinceMs: nowMs, others: null, awaited: new Set(), applied: 0, waitedOut: 0 }
}

/** The next state, and what has to be done. Pure. */
export function wait(
  state: Wait,
  event: WaitEvent,
  view: View,
  nowMs: number,
): { readonly wait: Wait; readonly effects: readonly WaitEffect[] } {
  const told = event.type === 'members' ? hearOfNodes(state, event.members, view, nowMs) : state
  const next = endNodes(lookAtVerifiers(told, view, nowMs), nowMs)
  if (next.others === null || view.appliedSeq < next.seq) return { wait: next, effects: [] }
  const { applied, waitedOut, seq } = next
  const times = [...next.others.map(({ endsMs }) => endsMs), ...lapses(view, seq, nowMs)]
  if (times.length > 0) return { wait: next, effects: [{ type: 'wake', atMs: Math.min(...times) }] }
  const outcome: InForce = { applied: applied + confirmedBy(view, seq), waitedOut, waitedMs: nowMs - state.sinceMs }
  return { wait: next, effects: [{ type: 'in_force', outcome }] }
}

/**
 * The first time, everybody who has not reported the entry is to be waited for; later, whoever has reported it is not any
 * more, nor who is gone: it has left when its leases had ended, or was removed since they had.
 */
function hearOfNodes(state: Wait, members: readonly NodeRecord[], view: View, nowMs: number): Wait {
  const byId = new Map(members.map((member) => [member.nodeId, member]))
  byId.delete(view.nodeId)
  if (state.others === null) {
    const behind = [...byId.values()].filter(({ inForceSeq }) => inForceSeq < state.seq)
    const others = behind.map(({ nodeId, leaseMs }) => ({ nodeId, endsMs: leaseEndMs(nowMs, leaseMs) }))
    return { ...state, others, applied: byId.size - behind.length }
  }
  const others = state.others.filter(({ nodeId }) => (byId.get(nodeId)?.inForceSeq ?? state.seq) < state.seq)
  const ended = state.others.filter((each) => !others.includes(each))
  const reported = ended.filter(({ nodeId }) => byId.has(nodeId)).length
  const gone = ended.length - reported
  return { ...state, others, applied: state.applied + reported, waitedOut: state.waitedOut + gone }
}

function endNodes(state: Wait, nowMs: number): Wait {
  if (state.others === null) return state
  const others = state.others.filter(({ endsMs }) => endsMs > nowMs)
  return others.length === state.others.length
    ? state
    : { ...state, others, waitedOut: state.waitedOut + state.others.length - others.length }
}

/** Keeps count of the verifiers that were waited for in vain. */
function lookAtVerifiers(state: Wait, view: View, nowMs: number): Wait {
  const awaited = new Set(state.awaited)
  let { waitedOut } = state
  for (const attachment of view.attachments) {
    const { verifierId, appliedSeq, grants } = attachment
    if (coveredSeq(attachment, nowMs) < state.seq) awaited.add(verifierId)
    else if (awaited.delete(verifierId) && appliedSeq < state.seq && grants.length > 0) waitedOut += 1
  }
  return { ...state, awaited, waitedOut }
}

/** How many verifiers have applied the entry: each once, on however many connections it was granted leases. */
function confirmedBy({ attachments }: View, seq: number): number {
  const confirmed = [...attachments].filter((each) => each.grants.length > 0 && each.appliedSeq >= seq)
  const former = new Set(confirmed.flatMap(({ formerly }) => formerly))
  return confirmed.filter(({ verifierId }) => !former.has(verifierId)).length
}

/** When each verifier that has not applied the entry can no longer decide without it. */
function lapses(view: View, seq: number, nowMs: number): number[] {
  const times: number[] = []
  for (const attachment of view.attachments) {
    if (coveredSeq(attachment, nowMs) < seq) times.push(lapseMs(attachment, seq))
  }
  return times
}
