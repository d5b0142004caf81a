import { type HeldLease, permittedMs } from '@rescind/protocol'
import { nodeMayDecide } from '../../packages/server/revocations/node-lease.ts'
import { mayDecide } from '../../packages/verifier/core/follower.ts'
import { isInForce, nodeIdOf } from './node.ts'
import { ENTRY, LEASE_MS, NOW } from './setting.ts'
import type { Attached, Holder, NodeProcess, Side, World } from './world.ts'

/** What has to hold in every state, by the numbers of `docs/protocol.md`; each is true when it holds. */
export const INVARIANTS = {
  /** A verification that begins after the 201 was sent is rejected. */
  G1: (world: World) => !world.isAnswered || (isNodeRight(world) && world.sides.every(({ holder }) => isRight(holder))),
  I2: ({ sides }: World) => sides.every(isKnown),
  I3: (world: World) => world.sides.every((side) => isCounted(world, side)),
  I4: ({ sides, node }: World) => node === null || sides.every((side) => isWithinOwn(side, node)),
  I5: isMember,
  I6: (world: World) =>
    world.rows.every(({ nodeId, inForceSeq }) => inForceSeq < ENTRY.seq || isInForceAt(world, nodeId)),
  I11: (world: World) => world.node === null || isBounded(world, world.node),
}

export type Invariant = keyof typeof INVARIANTS

export const INVARIANT_NAMES = Object.keys(INVARIANTS).filter(isInvariant)

export function isInvariant(name: string): name is Invariant {
  return Object.hasOwn(INVARIANTS, name)
}

/** Whether it would reject the token, or could not decide. */
function isRight({ state, appliedSeq, todo }: Holder): boolean {
  // What it has to do is one synchronous piece: no verification begins before that is done.
  return todo.length > 0 || appliedSeq >= ENTRY.seq || !mayDecide(state, NOW)
}

function isNodeRight({ node }: World): boolean {
  return node === null || node.appliedSeq >= ENTRY.seq || !nodeMayDecide(node.lease, node.appliedSeq, NOW)
}

/** What the node believes that a verifier has applied, it has. */
function isKnown({ holder, attached }: Side): boolean {
  return attached.every(
    ({ attachment, process }) => process !== holder.process || attachment.appliedSeq <= Math.max(holder.appliedSeq, 0),
  )
}

/** A lease has ended for its holder before it has for the node that granted it, and for the node that waits for that one. */
function isCounted({ node }: World, { holder, attached }: Side): boolean {
  if (node === null) return true
  return holder.state.leases.every((lease, at) => {
    const isOwn = holder.origins[at] === node.incarnation
    return leftMs(lease) <= (isOwn ? grantedUntilMs(holder, attached, lease) : waitedUntilMs(holder, node, lease))
  })
}

/** For a lease of the node before, that is of use without the entry. */
function waitedUntilMs({ appliedSeq }: Holder, { wait }: NodeProcess, { seq }: HeldLease): number {
  const others = wait?.others ?? null
  if (others === null || appliedSeq >= ENTRY.seq || seq >= ENTRY.seq) return Number.POSITIVE_INFINITY
  return Math.max(0, ...others.map(({ endsMs }) => endsMs))
}

/** The end of the last grant that may be this one, or stands for it. */
function grantedUntilMs({ process }: Holder, attached: readonly Attached[], { seq }: HeldLease): number {
  const ends = attached
    .filter((each) => each.process === process)
    .flatMap(({ attachment: { appliedSeq, grants } }) =>
      grants.filter((grant) => grant.seq <= Math.max(seq, appliedSeq)).map(({ endsMs }) => endsMs),
    )
  return Math.max(0, ...ends)
}

/** A grant ends before the node's own lease, and names what the node has applied. */
function isWithinOwn({ attached }: Side, { lease, appliedSeq }: NodeProcess): boolean {
  const ownMs = permittedMs(lease.leases, appliedSeq, NOW)
  return attached.every(({ attachment }) =>
    attachment.grants.every(({ seq, endsMs }) => seq <= appliedSeq && endsMs <= ownMs),
  )
}

/** While a node may decide, or anyone holds a lease from it, it is among the members. */
function isMember({ sides, node, rows }: World): boolean {
  const isRow = (incarnation: number, lease: HeldLease) =>
    leftMs(lease) <= 0 || rows.some((row) => row.nodeId === nodeIdOf(incarnation) && row.leaseMs >= lease.grantedMs)
  return (
    (node === null || node.lease.leases.every((lease) => isRow(node.incarnation, lease))) &&
    sides.every(({ holder }) => holder.state.leases.every((lease, at) => isRow(holder.origins[at] ?? 0, lease)))
  )
}

/** The node of the row, and everyone with a lease from it, has applied the entry or cannot decide. */
function isInForceAt({ sides, node }: World, nodeId: string): boolean {
  const isNode = node?.lease.nodeId === nodeId
  if (isNode && node.appliedSeq < ENTRY.seq && nodeMayDecide(node.lease, node.appliedSeq, NOW)) return false
  return sides.every(({ holder: { state, origins, appliedSeq, todo } }) => {
    const leases = state.leases.filter((_, at) => nodeIdOf(origins[at] ?? 0) === nodeId)
    return todo.length > 0 || appliedSeq >= ENTRY.seq || !mayDecide({ ...state, leases }, NOW)
  })
}

/** Once the members were read and the node has applied the entry, the wait is over after one lease, whatever becomes of the others. */
function isBounded(world: World, node: NodeProcess): boolean {
  if (node.wait === null || node.wait.others === null || node.appliedSeq < ENTRY.seq) return true
  return isInForce(world, node, Math.max(0, node.readMs + LEASE_MS))
}

function leftMs(lease: HeldLease): number {
  return permittedMs([lease], Number.POSITIVE_INFINITY, NOW)
}
