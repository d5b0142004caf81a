import type { Bug } from './bug.ts'

const NODE = 'packages/server/revocations/node.ts'
const OTHER_NODES = 'packages/server/revocations/other-nodes.ts'
const OWN_ROW = 'packages/server/revocations/own-row.ts'
const START_DECIDING = 'packages/server/start-deciding.ts'
const WAITER = 'packages/server/revocations/waiter.ts'
const WAITS = 'packages/server/revocations/waits.ts'

const OPEN_EPOCH = 'packages/server/revocations/open-epoch.ts'

/** Rules 7 to 9: what nodes know of each other. */
export const NODE_BUGS: readonly Bug[] = [
  {
    name: 'a node id is used again',
    rule: 7,
    breaks: 'I16',
    patches: [
      {
        file: START_DECIDING,
        find: 'newNodeId: newUuid',
        replace: "newNodeId: () => '00000000-0000-4000-8000-000000000001'",
      },
    ],
  },
  {
    name: 'the waiter counts its own lease length instead of that of the row',
    rule: 7,
    breaks: 'I1',
    patches: [
      {
        file: WAITER,
        find: 'endsMs: leaseEndMs(nowMs, leaseMs)',
        replace:
          'endsMs: leaseEndMs(nowMs, Math.min(leaseMs, members.find((member) => member.nodeId === view.nodeId)?.leaseMs ?? 0))',
      },
    ],
  },
  {
    name: 'a renewal that touches no row goes unnoticed',
    rule: 7,
    breaks: 'I5',
    patches: [
      {
        file: OWN_ROW,
        find: "head === undefined ? { type: 'not_member' } : { type: 'renewed', headSeq: head.seq, appliedSeq }",
        replace: "{ type: 'renewed', headSeq: head?.seq ?? appliedSeq, appliedSeq }",
      },
    ],
  },
  {
    name: 'the row is removed before the grants have ended',
    rule: 7,
    breaks: 'I3',
    patches: [
      {
        file: NODE,
        find: "if (this.lease.phase === 'leaving' && this.longestGrantMs === 0)",
        replace: "if (this.lease.phase === 'leaving')",
      },
    ],
  },
  {
    name: 'the members are read before the commit',
    rule: 8,
    breaks: 'I1',
    patches: [
      { file: WAITS, find: '  #isReading = false\n', replace: '  #isReading = false\n  #lastMembers = []\n' },
      {
        file: WAITS,
        find: '      (members) => {\n',
        replace: '      (members) => {\n        this.#lastMembers = members\n',
      },
      {
        file: WAITS,
        find: '      this.#unread.add(pending)\n      this.readMembers()',
        replace:
          "      this.#advance(pending, { type: 'members', members: this.#lastMembers })\n      this.#deps.onRead()",
      },
    ],
  },
  {
    name: 'a start forgets the grants of those before',
    rule: 9,
    breaks: 'I3',
    patches: [
      {
        file: OTHER_NODES,
        find: 'if (sighting.endsMs <= askedMs) ended.push(member)',
        replace: 'if (known === undefined || sighting.endsMs <= askedMs) ended.push(member)',
      },
    ],
  },
  {
    name: 'the largest grant is not stored before it is given',
    rule: 9,
    breaks: 'I5',
    patches: [{ file: OWN_ROW, find: 'leaseMs: effect.leaseMs', replace: 'leaseMs: effect.leaseMs / 2' }],
  },
  {
    name: 'a node grants before that is stored',
    rule: 9,
    breaks: 'I5',
    patches: [{ file: OWN_ROW, find: 'await this.#deps.membership.announceGrants(nodeId)', replace: '' }],
  },
  {
    name: 'whoever held a lease from a process whose row was lost is forgotten',
    rule: 9,
    breaks: 'I3',
    patches: [
      {
        file: OPEN_EPOCH,
        find: '  await membership.join({ nodeId: lostHolders, leaseMs: longestLeaseMs })\n  await membership.announceGrants(lostHolders)\n',
        replace: '',
      },
    ],
  },
]
