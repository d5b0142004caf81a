import { coveredSeq } from '../../packages/server/revocations/attachment.ts'
import { holdNodeLease, type NodeLeaseEvent, newNodeLease } from '../../packages/server/revocations/node-lease.ts'
import { sight } from '../../packages/server/revocations/other-nodes.ts'
import { beginWait, type View, type WaitEvent, wait } from '../../packages/server/revocations/waiter.ts'
import type { NodeRecord } from '../../packages/server/storage/storage.ts'
import { ENTRY, LEASE_MS, NOW } from './setting.ts'
import type { NodeProcess, World } from './world.ts'

/** Does for the state machines of a node what its shell does; what it asks the database for is answered in a later step. */

/** A process of the node: it has added its row, and renews for the first time. */
export function startNode(world: World, incarnation: number): World {
  const outside: NodeProcess = {
    incarnation,
    lease: newNodeLease(LEASE_MS),
    appliedSeq: 0,
    renewing: null,
    reading: null,
    sightings: new Map(),
    isUnread: false,
    request: 'none',
    wait: null,
    readMs: 0,
    snapshotSeq: null,
    bootSeq: world.headSeq,
  }
  const nodeId = nodeIdOf(incarnation)
  const row: NodeRecord = { nodeId, leaseMs: LEASE_MS, renewals: 0, inForceSeq: 0 }
  const joining = onLease(world, outside, { type: 'join', nodeId })
  const member = onLease(world, joining, { type: 'joined' })
  return renewed({ ...world, rows: [...world.rows, row] }, member)
}

/** It takes connections and requests once it has read the log. */
export function isServing(node: NodeProcess | null): node is NodeProcess {
  return node?.lease.phase === 'member' && node.appliedSeq >= node.bootSeq
}

export function isRenewalDue({ lease }: NodeProcess): boolean {
  return lease.phase === 'member' && lease.renewing === null && lease.renewAtMs <= NOW.monotonicMs
}

/** Sends the renewal. */
export function renew(world: World, node: NodeProcess): NodeProcess {
  return onLease(world, node, { type: 'due' })
}

/** The renewal is committed. How many there were is of interest to nobody as long as this process lives. */
export function renewed(world: World, node: NodeProcess): World {
  const inForceSeq = node.renewing?.inForceSeq ?? 0
  const rows = world.rows.map((row) => (row.nodeId === node.lease.nodeId ? { ...row, inForceSeq } : row))
  const event = { type: 'renewed', headSeq: world.headSeq, appliedSeq: node.appliedSeq } as const
  const done = { ...world, rows }
  const holding = onLease(world, { ...node, renewing: null }, event)
  if (node.reading !== null) return { ...done, node: holding }
  return membersRead(done, readMembers(holding))
}

/** The node hears that the entry is committed, and asks for the members. */
export function beginToWait(node: NodeProcess): NodeProcess {
  const waiting: NodeProcess = {
    ...node,
    request: 'waiting',
    wait: beginWait(ENTRY.seq, NOW.monotonicMs),
    isUnread: true,
  }
  return node.reading === null ? readMembers(waiting) : waiting
}

/** Asks for the members: who has waited up to now is served. */
export function readMembers(node: NodeProcess): NodeProcess {
  return { ...node, reading: { askedMs: NOW.monotonicMs, serves: node.isUnread }, isUnread: false }
}

/** The members are read. Whoever has ended is removed. */
export function membersRead(world: World, node: NodeProcess): World {
  const { reading, lease } = node
  if (reading === null) throw new Error('Nobody asked for the members')
  const time = { askedMs: reading.askedMs, readMs: NOW.monotonicMs }
  const { sightings, ended } = sight(node.sightings, world.rows, lease.nodeId, time)
  // The next reading would not show them any more.
  const present = new Map([...sightings].filter(([id]) => ended.every(({ nodeId }) => nodeId !== id)))
  const told: NodeProcess = { ...node, reading: null, sightings: present }
  const isFirst = node.wait?.others === null
  const heard: NodeProcess = reading.serves
    ? { ...hearOf(world, told), readMs: isFirst ? NOW.monotonicMs : node.readMs }
    : told
  const left = { ...world, rows: world.rows.filter((row) => !ended.includes(row)) }
  return node.isUnread ? membersRead(left, readMembers(heard)) : { ...left, node: heard }
}

/** Whether somebody is waited for who is not among the members any more: reading them again would show it. */
export function hasNews({ rows }: World, { wait, reading }: NodeProcess): boolean {
  const others = reading === null ? (wait?.others ?? []) : []
  return others.some(({ nodeId }) => rows.every((row) => row.nodeId !== nodeId))
}

/** Whether the wait is over for who looks at `atMs`, if nothing changes before. */
export function isInForce(world: World, node: NodeProcess, atMs: number): boolean {
  if (node.wait === null) return false
  const { effects } = wait(node.wait, { type: 'look' }, viewOf(world, node), atMs)
  return effects.some(({ type }) => type === 'in_force')
}

function hearOf(world: World, node: NodeProcess): NodeProcess {
  if (node.wait === null) return node
  const event: WaitEvent = { type: 'members', members: world.rows }
  return { ...node, wait: wait(node.wait, event, viewOf(world, node), NOW.monotonicMs).wait }
}

function viewOf({ sides }: World, { lease, appliedSeq }: NodeProcess): View {
  const attachments = sides.flatMap(({ attached }) => attached.map(({ attachment }) => attachment))
  return { nodeId: lease.nodeId, appliedSeq, attachments }
}

/** Everything up to here has been applied by the node and by everyone attached to it, or they cannot decide. */
function inForceSeq(world: World, node: NodeProcess): number {
  const { appliedSeq, attachments } = viewOf(world, node)
  return Math.min(appliedSeq, ...[...attachments].map((each) => coveredSeq(each, NOW.monotonicMs)))
}

function onLease(world: World, node: NodeProcess, event: NodeLeaseEvent): NodeProcess {
  const { state, effects } = holdNodeLease(node.lease, event, NOW)
  const renewing = effects.some(({ type }) => type === 'renew')
  const stray = effects.find(({ type }) => type === 'leave' || type === 'rejoin')
  if (stray !== undefined) throw new Error(`A node of this instance never has to ${stray.type}`)
  return { ...node, lease: state, ...(renewing && { renewing: { inForceSeq: inForceSeq(world, node) } }) }
}

export function nodeIdOf(incarnation: number): string {
  return `node-${incarnation}`
}
