import type { Patch } from '../patched-source.ts'

/** A rule, and what becomes of the guarantees without it. Nothing of what is patched is imported here. */
export interface Rule {
  readonly name: string
  /** What the patched sources do. */
  readonly without: string
  readonly patches: readonly Patch[]
  /** The instance that shows it, and a smaller one that does. */
  readonly instance: string
  readonly small: string
  /** The invariant that does not hold there any more. */
  readonly breaks: string
}

const FOLLOWER = 'packages/verifier/core/follower.ts'
const ATTACHMENT = 'packages/server/revocations/attachment.ts'
const WAITER = 'packages/server/revocations/waiter.ts'
const NODE_LEASE = 'packages/server/revocations/node-lease.ts'
const OTHER_NODES = 'packages/server/revocations/other-nodes.ts'
const LEASE = 'packages/protocol/lease.ts'

export const RULES: readonly Rule[] = [
  {
    name: 'lease-needs-its-entry',
    without: 'a lease permits before what it names was applied',
    patches: [{ file: LEASE, find: 'appliedSeq >= lease.seq && ', replace: '' }],
    instance: 'crash, partition',
    small: 'partition',
    breaks: 'G1',
  },
  {
    name: 'node-lease-names-the-head',
    without: 'a node decides before it has applied the head that its renewal read',
    patches: [{ file: NODE_LEASE, find: 'seq: event.headSeq', replace: 'seq: 0' }],
    instance: 'crash, partition',
    small: 'crash',
    breaks: 'G1',
  },
  {
    name: 'lease-from-the-request',
    without: 'a lease counts from the reply',
    patches: [
      {
        file: FOLLOWER,
        find: 'return granted(state, message)',
        replace: 'return granted({ ...state, asked: state.asked && { ...state.asked, since: now } }, message)',
      },
    ],
    instance: 'pause, broken connection',
    small: 'pause',
    breaks: 'G1',
  },
  {
    name: 'grant-answers-its-request',
    without: 'a grant of an earlier connection answers the request in flight',
    patches: [
      {
        file: FOLLOWER,
        find: "if ('connection' in event && event.connection !== state.connection) return { state, effects: [] }",
        replace: '',
      },
      { file: FOLLOWER, find: 'state.asked === null || state.asked.nonce !== nonce', replace: 'state.asked === null' },
    ],
    instance: 'crash, partition',
    small: 'partition',
    breaks: 'G1',
  },
  {
    name: 'grant-within-own-lease',
    without: 'a node grants beyond its own lease',
    patches: [
      {
        file: ATTACHMENT,
        find: 'const leaseMs = Math.floor(leftMs)',
        replace: 'const leaseMs = leftMs > 0 ? 24_000 : 0',
      },
    ],
    instance: 'crash, partition',
    small: 'partition',
    breaks: 'I4',
  },
  {
    name: 'grant-names-what-the-node-applied',
    without: 'a grant names what the verifier acknowledged',
    patches: [
      {
        file: ATTACHMENT,
        find: 'const grants = [...attachment.grants, { seq, endsMs: leaseEndMs(nowMs, leaseMs) }]',
        replace:
          'const grants = [...attachment.grants, { seq: attachment.appliedSeq, endsMs: leaseEndMs(nowMs, leaseMs) }]',
      },
    ],
    instance: 'crash, partition',
    small: 'partition',
    breaks: 'I11',
  },
  {
    name: 'closed-connection-releases-nothing',
    without: 'a closed connection releases the leases that were granted on it',
    patches: [
      {
        file: ATTACHMENT,
        find: '{ ...attachment, isConnected: false }',
        replace: '{ ...attachment, isConnected: false, grants: [] }',
      },
    ],
    instance: 'pause, broken connection',
    small: 'broken connection',
    breaks: 'G1',
  },
  {
    name: 'coming-back-releases-nothing',
    without: 'a lease that is granted on a new connection releases those of the connections before',
    patches: [{ file: ATTACHMENT, find: '  return undefined\n', replace: "  return { type: 'goodbye' }\n" }],
    instance: 'pause, broken connection',
    small: 'broken connection',
    breaks: 'G1',
  },
  {
    name: 'goodbye-after-deciding',
    without: 'a verifier that says goodbye keeps its leases',
    patches: [
      { file: FOLLOWER, find: "{ ...withoutLeases(state), phase: 'closed'", replace: "{ ...state, phase: 'closed'" },
    ],
    instance: 'crash, stop, slow database',
    small: 'stop, slow database',
    breaks: 'G1',
  },
  {
    name: 'grants-told-apart',
    without: 'a grant that names a later entry takes the place of those that name earlier ones',
    patches: [{ file: ATTACHMENT, find: '|| grant.seq <= attachment.appliedSeq', replace: '|| grant.seq > last.seq' }],
    instance: 'crash, partition',
    small: 'partition',
    breaks: 'G1',
  },
  {
    name: 'node-waits-for-itself',
    without: 'a node answers before it has applied the entry itself',
    patches: [{ file: WAITER, find: ' || view.appliedSeq < next.seq', replace: '' }],
    instance: 'crash, partition',
    small: 'pause, broken connection',
    breaks: 'G1',
  },
  {
    name: 'row-outlives-its-leases',
    without: 'a row is removed before its node has stood still for a lease',
    patches: [{ file: OTHER_NODES, find: 'endsMs: leaseEndMs(readMs, leaseMs)', replace: 'endsMs: readMs' }],
    instance: 'crash, partition',
    small: 'crash',
    breaks: 'G1',
  },
  {
    name: 'start-honours-earlier-grants',
    without: 'a node that starts forgets what an earlier process granted',
    patches: [
      {
        file: WAITER,
        find: 'inForceSeq < state.seq)\n    const others',
        replace: 'inForceSeq > state.seq)\n    const others',
      },
    ],
    instance: 'crash, partition',
    small: 'crash',
    breaks: 'G1',
  },
  {
    name: 'acknowledge-after-apply',
    without: 'a verifier acknowledges before it applies',
    patches: [
      {
        file: FOLLOWER,
        find: "effects: [{ type: 'apply', entries }, acknowledge(position)]",
        replace: "effects: [acknowledge(position), { type: 'apply', entries }]",
      },
    ],
    instance: 'crash, partition',
    small: 'partition',
    breaks: 'I2',
  },
]
