import type { Bug } from './bug.ts'

const ATTACHED_VERIFIER = 'packages/verifier/core/attached-verifier.ts'
const FOLLOWER = 'packages/verifier/core/follower.ts'
const LEASE = 'packages/protocol/lease.ts'
const NODE = 'packages/server/revocations/node.ts'
const VERIFIER = 'packages/verifier/core/local-verifier.ts'

/** Rules 1 to 3: what a lease permits, how long it counts, and which request it answers. */
export const LEASE_BUGS: readonly Bug[] = [
  {
    name: 'a lease permits without having applied what it names',
    rule: 1,
    breaks: 'I1',
    patches: [
      {
        file: LEASE,
        find: 'return appliedSeq >= lease.seq && leaseLeftMs(lease, now) > 0',
        replace: 'return leaseLeftMs(lease, now) > 0',
      },
    ],
  },
  {
    name: 'the revocation set is read before the lease',
    rule: 1,
    breaks: 'I7',
    patches: [
      {
        file: VERIFIER,
        find: '    if (!lease.holds()) return decideWithoutLease(token, expected)\n    const tokenId',
        replace:
          '    const covered = revocations.covers(token)\n    if (!lease.holds()) return decideWithoutLease(token, expected)\n    const tokenId',
      },
      { file: VERIFIER, find: 'if (revocations.covers(token)) return', replace: 'if (covered) return' },
    ],
  },
  {
    name: 'the lease counts from the reply',
    rule: 2,
    breaks: 'I9',
    patches: [
      {
        file: FOLLOWER,
        find: 'return granted(state, message)',
        replace: 'return granted({ ...state, asked: state.asked && { ...state.asked, since: now } }, message)',
      },
    ],
  },
  {
    name: 'no margin for drift',
    rule: 2,
    breaks: 'I3',
    patches: [{ file: LEASE, find: 'const USABLE_SHARE = 0.8', replace: 'const USABLE_SHARE = 1' }],
  },
  {
    name: 'the granter uses the share of the holder',
    rule: 2,
    breaks: 'I3',
    patches: [{ file: LEASE, find: 'return monotonicMs + grantedMs', replace: 'return monotonicMs + grantedMs * 0.8' }],
  },
  {
    name: 'a timer sets a flag when the lease ends',
    rule: 2,
    breaks: 'I3',
    patches: [
      {
        file: ATTACHED_VERIFIER,
        find: 'return mayDecide(this.#state, instantOf(this.#options.clocks))',
        replace: 'return this.#state.deciding',
      },
    ],
  },
  {
    name: 'the holder trusts its monotonic clock alone',
    rule: 2,
    breaks: 'I3',
    patches: [
      {
        file: LEASE,
        find: 'return Math.max(now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs)',
        replace: 'return now.monotonicMs - since.monotonicMs',
      },
    ],
  },
  {
    name: 'the waiter trusts the wall clock',
    rule: 2,
    breaks: 'I3',
    patches: [
      { file: NODE, find: 'return this.#deps.clocks.monotonicMs()', replace: 'return this.#deps.clocks.nowMs()' },
    ],
  },
  {
    name: 'the nonce is ignored',
    rule: 3,
    breaks: 'I9',
    patches: [
      {
        file: FOLLOWER,
        find: 'if (state.asked === null || state.asked.nonce !== nonce) return badMessage(state)',
        replace: 'if (state.asked === null) return badMessage(state)',
      },
    ],
  },
]
