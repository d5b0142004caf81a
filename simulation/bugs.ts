import type { Patch } from './patched-source.ts'

/** A rule taken away, and what must notice. */
export interface Bug {
  readonly name: string
  /** Of the rules of `docs/protocol.md`. */
  readonly rule: number
  /** The invariant that the rule is there for. */
  readonly breaks: string
  readonly patches: readonly Patch[]
}

const ATTACHED_VERIFIER = 'packages/verifier/core/attached-verifier.ts'
const ATTACHMENT = 'packages/server/revocations/attachment.ts'
const FEED_SESSION = 'packages/server/revocations/feed-session.ts'
const FOLLOWER = 'packages/verifier/core/follower.ts'
const ISSUE_TOKEN = 'packages/server/tokens/issue-token.ts'
const LEASE = 'packages/protocol/lease.ts'
const MEMBERS = 'packages/server/access/members.ts'
const NODE = 'packages/server/revocations/node.ts'
const NODE_LEASE = 'packages/server/revocations/node-lease.ts'
const OTHER_NODES = 'packages/server/revocations/other-nodes.ts'
const REVOKE_ALL = 'packages/server/revocations/revoke-all.ts'
const REVOKE_TOKEN = 'packages/server/revocations/revoke-token.ts'
const SIGNING_KEYS = 'packages/server/tokens/signing-keys.ts'
const START_DECIDING = 'packages/server/start-deciding.ts'
const VERIFIER = 'packages/verifier/core/local-verifier.ts'
const VERIFY_OR_ASK = 'packages/verifier/core/verify-or-ask.ts'
const WAITER = 'packages/server/revocations/waiter.ts'
const WRITE_AS = 'packages/server/access/write-as.ts'

/** Every one of them must be noticed, by the invariant it breaks. */
export const BUGS: readonly Bug[] = [
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
        find: '    if (!lease.holds()) return UNDECIDED\n    const tokenId',
        replace:
          '    const covered = revocations.covers(token)\n    if (!lease.holds()) return UNDECIDED\n    const tokenId',
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
        find: 'const grantable = { leftMs: grantableMs(this.#lease, seq, this.#now()), seq }',
        replace:
          'const grantable = { leftMs: grantableMs(this.#lease, seq, this.#now()), seq: this.#attachments.get(verifierId)?.appliedSeq ?? 0 }',
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
    name: 'an acknowledgement counts for another session',
    rule: 5,
    breaks: 'I2',
    patches: [
      {
        file: NODE,
        find: "this.#onAttachment(verifierId, { type: 'applied', seq })",
        replace: "for (const id of this.#attachments.keys()) this.#onAttachment(id, { type: 'applied', seq })",
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
        find: 'return Math.min(this.#deps.appliedSeq(), lowest.seq)',
        replace: 'return this.#deps.appliedSeq()',
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
        file: NODE,
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
        find: "if (this.#lease.phase === 'leaving' && this.longestGrantMs === 0)",
        replace: "if (this.#lease.phase === 'leaving')",
      },
    ],
  },
  {
    name: 'the members are read before the commit',
    rule: 8,
    breaks: 'I1',
    patches: [
      { file: NODE, find: '  #hasJoined = false', replace: '  #lastMembers = []\n  #hasJoined = false' },
      {
        file: NODE,
        find: '      (members) => {\n        this.#readingMembers = false',
        replace: '      (members) => {\n        this.#lastMembers = members\n        this.#readingMembers = false',
      },
      {
        file: NODE,
        find: '      this.#unread.add(pending)\n      this.#readMembers()',
        replace:
          "      this.#onWait(pending, { type: 'members', members: this.#lastMembers })\n      this.#wakeForNext()",
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
    patches: [{ file: NODE, find: 'leaseMs: effect.leaseMs', replace: 'leaseMs: effect.leaseMs / 2' }],
  },
  {
    name: 'a node grants before that is stored',
    rule: 9,
    breaks: 'I5',
    patches: [{ file: NODE, find: 'await this.#deps.membership.announceGrants(nodeId)', replace: '' }],
  },
  {
    name: 'acknowledged before it is applied',
    rule: 10,
    breaks: 'I2',
    patches: [
      {
        file: ATTACHED_VERIFIER,
        find: 'return takesEffect(() => this.#verifier?.apply(effect.entries))',
        replace: 'this.#options.timers.after(5, () => this.#verifier?.apply(effect.entries))\n        return true',
      },
    ],
  },
  {
    name: 'the hash is not compared',
    rule: 10,
    breaks: 'I2',
    patches: [
      {
        file: FEED_SESSION,
        find: 'return hash === (seq === 0 ? genesis(epoch).hash : await log.hashAt(seq))',
        replace: 'return hash === (seq === 0 ? genesis(epoch).hash : ((await log.hashAt(seq)) && hash))',
      },
    ],
  },
  {
    name: 'another history replaces what was revoked instead of being united with it',
    rule: 10,
    breaks: 'I8',
    patches: [
      {
        file: VERIFIER,
        find: 'const revocations = new RevocationSet()',
        replace: 'let revocations = new RevocationSet()',
      },
      {
        file: VERIFIER,
        find: '    keyring.addAll(snapshot.keys)',
        replace: '    keyring.addAll(snapshot.keys)\n    revocations = new RevocationSet()',
      },
    ],
  },
  {
    name: 'questions to the service are shared',
    rule: 11,
    breaks: 'I14',
    patches: [
      {
        file: VERIFY_OR_ASK,
        find: "return verdict.status === 'undecided' ? ask(token, expected) : verdict",
        replace: `if (verdict.status !== 'undecided') return verdict
  const asked = (globalThis.asked ??= new Map())
  if (!asked.has(token)) asked.set(token, ask(token, expected).finally(() => asked.delete(token)))
  return asked.get(token)`,
      },
    ],
  },
  {
    name: 'the verdict is kept',
    rule: 11,
    breaks: 'I7',
    patches: [
      {
        file: ATTACHED_VERIFIER,
        find: "const verdict = this.#verifier?.verify(token, expected) ?? { status: 'undecided' }",
        replace: `this.kept ??= new Map()
    const verdict = this.kept.get(token) ?? this.#verifier?.verify(token, expected) ?? { status: 'undecided' }
    if (verdict.status === 'valid') this.kept.set(token, verdict)`,
      },
    ],
  },
  {
    name: 'a repeated revocation is answered at once',
    rule: 12,
    breaks: 'I1',
    patches: [
      {
        file: REVOKE_TOKEN,
        find: 'inForce: await deps.enforcement.inForce(outcome.token.revocation.seq)',
        replace:
          'inForce: outcome.first ? await deps.enforcement.inForce(outcome.token.revocation.seq) : { applied: 0, waitedOut: 0, waitedMs: 0 }',
      },
    ],
  },
  {
    name: 'a member change is answered before what it ended is in force',
    rule: 12,
    breaks: 'I1',
    patches: [
      {
        file: MEMBERS,
        find: 'return { member, inForce: await deps.tokens.inForce(seq) }',
        replace: 'return { member, inForce: { applied: 0, waitedOut: 0, waitedMs: 0 } }',
      },
    ],
  },
  {
    name: 'a repeated member change is answered at once',
    rule: 12,
    breaks: 'I1',
    patches: [
      {
        file: MEMBERS,
        find: 'let { seq } = await tx.head()',
        replace: 'let seq = 0',
      },
      { file: MEMBERS, find: 'await deps.tokens.inForce(outcome.goneSeq)', replace: '' },
    ],
  },
  {
    name: 'an error at commit counts as success',
    rule: 12,
    breaks: 'I10',
    patches: [
      {
        file: REVOKE_TOKEN,
        find: 'const outcome = await write<Revoked | Refused>(',
        replace: 'let known\n  const outcome = await write<Revoked | Refused>(',
      },
      {
        file: REVOKE_TOKEN,
        find: 'return { token: { ...token, revocation }, first: true }\n  })',
        replace:
          'known = { token: { ...token, revocation }, first: true }\n    return known\n  }).catch((error) => known ?? Promise.reject(error))',
      },
    ],
  },
  {
    name: 'a token is issued without the lock of its member',
    rule: 13,
    breaks: 'I12',
    patches: [
      { file: ISSUE_TOKEN, find: 'await tx.lockHolder({ businessId, userId, kid: key.jwk.kid })', replace: '' },
    ],
  },
  {
    name: 'a bulk revocation reads the counter without a lock',
    rule: 13,
    breaks: 'I12',
    patches: [{ file: REVOKE_ALL, find: 'await tx.lockTarget(target)', replace: '' }],
  },
  {
    name: 'a token that dies mints a successor',
    rule: 13,
    breaks: 'I13',
    patches: [{ file: WRITE_AS, find: 'return refused ?? unit(', replace: 'return unit(' }],
  },
  {
    name: 'a key signs before its entry is in force',
    rule: 14,
    breaks: 'I15',
    patches: [
      {
        file: SIGNING_KEYS,
        find: 'const inForce = await this.#deps.inForce(outcome.seq)\n    this.#promote(key)',
        replace: 'this.#promote(key)\n    const inForce = await this.#deps.inForce(outcome.seq)',
      },
    ],
  },
]
