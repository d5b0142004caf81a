import type { HeldLease } from '@rescind/protocol'
import { grantableMs } from '../../packages/server/revocations/node-lease.ts'
import { isServing } from './node.ts'
import { NOW } from './setting.ts'
import type { Attached, Connection, Holder, NodeProcess, Side, ToHolder, ToNode, World } from './world.ts'

/** Texts that are equal for equal things of the normal form, and for no others. */

export function sideKey({ holder, connections, attached, isCut, isPaused }: Side): string {
  return `${isCut ? '/' : ''}${isPaused ? '~' : ''}${holderKey(holder)}|${connections.map(connectionKey)}|${attached.map(attachedKey)}`
}

export function nodeKey(node: NodeProcess): string {
  const { incarnation, lease, appliedSeq, renewing, reading, isUnread, request, wait, readMs } = node
  const seen = [...node.sightings].map(([id, { endsMs }]) => `${id}@${endsMs}`)
  const others = wait?.others?.map(({ nodeId, endsMs }) => `${nodeId}@${endsMs}`)
  const renewal = renewing && `${renewing.inForceSeq}@${lease.renewing?.monotonicMs}`
  const asked = reading && `${reading.serves}@${reading.askedMs}`
  return [
    [incarnation, lease.phase, lease.renewAtMs, lease.leases.map(leaseKey), appliedSeq, node.snapshotSeq, node.bootSeq],
    [renewal, asked, seen, isUnread, request, others, readMs],
  ].join(';')
}

/** All of a node that makes a difference to a holder. */
export function nodeOutlook(node: NodeProcess): string {
  const { incarnation, lease, appliedSeq, snapshotSeq } = node
  return [incarnation, isServing(node), grantableMs(lease, appliedSeq, NOW), appliedSeq, snapshotSeq].join(';')
}

/** Everything but the processes. */
export function restKey({ rows, headSeq, isAnswered, left }: World): string {
  const { crashes, partitions, breaks, stops, pauses, late, slow } = left
  return `${rows.map(({ nodeId, inForceSeq }) => nodeId + inForceSeq)};${headSeq}${isAnswered}${crashes}${partitions}${breaks}${stops}${pauses}${late}${slow}`
}

function holderKey({ state, appliedSeq, origins, todo, process }: Holder): string {
  const { phase, verifierIds, home, position, leases, asked, renewAtMs, deadlineMs, download, diverged, deciding } =
    state
  const waiting = asked && `${asked.since.monotonicMs}`
  return [
    [process, phase, home && 1, position?.seq, leases.map(leaseKey), origins, waiting, renewAtMs, deadlineMs],
    [
      verifierIds,
      download?.position.seq,
      download?.received,
      diverged,
      deciding,
      appliedSeq,
      todo.map(({ type }) => type),
    ],
  ].join(';')
}

function leaseKey({ since, grantedMs, seq }: HeldLease): string {
  return `${since.monotonicMs}+${grantedMs}>${seq}`
}

function connectionKey(connection: Connection): string {
  const { number, process, isOpen, toNode, toHolder, session, incarnation } = connection
  const end = session && `${session.phase}${session.sentSeq}-${session.unacknowledged.join('.')}`
  return `${number}.${process}${isOpen}${toNode.map(toNodeKey)}<${toHolder.map(toHolderKey)}${end}:${incarnation}`
}

function toNodeKey(item: ToNode): string {
  switch (item.type) {
    case 'hello':
      return `hello${item.position?.seq}(${item.formerly})`
    case 'renew':
      return `renew${item.nonce}`
    case 'applied':
      return `applied${item.seq}`
    default:
      return item.type
  }
}

function toHolderKey(item: ToHolder): string {
  switch (item.type) {
    case 'grant':
      return `grant${item.nonce}+${item.leaseMs}>${item.seq}`
    case 'snapshot':
      return `snapshot${item.position.seq}`
    case 'welcome':
      return `welcome${item.verifierId}${item.resync}`
    case 'piece':
      return `piece${item.seq}`
    case 'entries':
      return `entries${item.entries[0]?.seq}`
    default:
      return item.type
  }
}

function attachedKey({ attachment, process, number }: Attached): string {
  const { formerly, appliedSeq, grants, isConnected } = attachment
  return `${number}.${process}(${formerly})${isConnected}${appliedSeq}:${grants.map(({ seq, endsMs }) => `${seq}@${endsMs}`)}`
}
