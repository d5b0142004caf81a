import type { Bug } from './bug.ts'

const ATTACHMENT = 'packages/server/revocations/attachment.ts'
const ATTACHMENTS = 'packages/server/revocations/attachments.ts'
const FOLLOWER = 'packages/verifier/core/follower.ts'
const NODE = 'packages/server/revocations/node.ts'
const NODE_LEASE = 'packages/server/revocations/node-lease.ts'

/** Rules 4 to 6: what a node grants, and how it keeps count of that. */
export const GRANT_BUGS: readonly Bug[] = [
  {
    name: 'a grant goes beyond the lease of its node',
    rule: 4,
    breaks: 'I4',
    patches: [
      {
        file: NODE_LEASE,
        find: "return state.phase === 'member' ? permittedMs(state.leases, appliedSeq, now) : 0",
        replace:
          "return state.phase === 'member' && permittedMs(state.leases, appliedSeq, now) > 0 ? state.leaseMs : 0",
      },
    ],
  },
  {
    name: 'a node whose lease has lapsed grants',
    rule: 4,
    breaks: 'I4',
    patches: [
      {
        file: NODE_LEASE,
        find: "return state.phase === 'member' ? permittedMs(state.leases, appliedSeq, now) : 0",
        replace: "return state.phase === 'member' ? permittedMs(state.leases, appliedSeq, now) || 500 : 0",
      },
    ],
  },
  {
    name: 'a grant names what the verifier acknowledged instead of what the node applied',
    rule: 4,
    breaks: 'I4',
    patches: [
      {
        file: NODE,
        find: 'grantable: this.#row.grantable() }',
        replace:
          'grantable: { ...this.#row.grantable(), seq: this.#attachments.byId.get(verifierId)?.appliedSeq ?? 0 } }',
      },
    ],
  },
  {
    name: 'a closed socket releases',
    rule: 5,
    breaks: 'I3',
    patches: [
      {
        file: ATTACHMENT,
        find: '{ ...attachment, isConnected: false }',
        replace: '{ ...attachment, isConnected: false, grants: [] }',
      },
    ],
  },
  {
    name: 'goodbye before it stops deciding',
    rule: 5,
    breaks: 'I3',
    patches: [
      {
        file: FOLLOWER,
        find: "{ ...withoutLeases(state), phase: 'closed', download: null }",
        replace: "{ ...state, phase: 'closed', download: null }",
      },
    ],
  },
  {
    name: 'a verifier that is back has released what it was granted before',
    rule: 5,
    breaks: 'I3',
    patches: [{ file: ATTACHMENT, find: '  return undefined\n', replace: "  return { type: 'goodbye' }\n" }],
  },
  {
    name: 'a verifier takes the connections of others for its own',
    rule: 5,
    breaks: 'I2',
    patches: [
      {
        file: FOLLOWER,
        find: '[...state.verifierIds, verifierId].slice(-MAX_FORMER_IDS)',
        replace: '(globalThis.verifierIds = [...(globalThis.verifierIds ?? []), verifierId].slice(-MAX_FORMER_IDS))',
      },
    ],
  },
  {
    name: 'an acknowledgement counts for another session',
    rule: 5,
    breaks: 'I2',
    patches: [
      {
        file: ATTACHMENTS,
        find: "this.tell(verifierId, { type: 'applied', seq })",
        replace: "for (const id of this.#byId.keys()) this.tell(id, { type: 'applied', seq })",
      },
    ],
  },
  {
    name: 'a node reports what it has applied itself',
    rule: 6,
    breaks: 'I6',
    patches: [
      {
        file: NODE,
        find: 'return Math.min(this.#deps.appliedSeq(), this.#attachments.coveredSeq())',
        replace: 'this.#attachments.coveredSeq()\n    return this.#deps.appliedSeq()',
      },
    ],
  },
  {
    name: 'the latest grant is waited for instead of the last that names less',
    rule: 6,
    breaks: 'I11',
    patches: [
      {
        file: ATTACHMENT,
        find: 'return Math.max(appliedSeq, named)',
        replace: 'return Number.isFinite(named) ? appliedSeq : named',
      },
    ],
  },
]
