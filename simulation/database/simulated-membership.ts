import type { Position } from '@rescind/protocol'
import type { Membership, NodeRecord } from '../../packages/server/storage/storage.ts'
import type { Tables } from './tables.ts'

/** The rows of the nodes: every method is one statement, which happens at one instant and is durable then. */
export function simulatedMembership(ask: <T>(step: () => T) => Promise<T>, tables: Tables): Membership {
  const { nodes, usedNodeIds, grantingNodeIds } = tables
  const change = (nodeId: string, changed: (node: NodeRecord) => NodeRecord) => {
    const node = nodes.get(nodeId)
    if (node !== undefined) nodes.set(nodeId, changed(node))
    return node !== undefined
  }
  return {
    join: ({ nodeId, leaseMs }) =>
      ask(() => {
        if (usedNodeIds.has(nodeId)) throw new Error(`The node id ${nodeId} was used before.`)
        usedNodeIds.add(nodeId)
        nodes.set(nodeId, { nodeId, leaseMs, renewals: 0, inForceSeq: 0 })
      }),
    announceGrants: (nodeId) =>
      ask(() => {
        if (!nodes.has(nodeId)) throw new Error(`The node ${nodeId} is no member.`)
        grantingNodeIds.add(nodeId)
      }),
    renew: (nodeId, inForceSeq) =>
      ask((): Position | undefined =>
        change(nodeId, (node) => ({ ...node, renewals: node.renewals + 1, inForceSeq })) ? tables.head : undefined,
      ),
    report: (nodeId, inForceSeq) =>
      ask(() => {
        change(nodeId, (node) => ({ ...node, inForceSeq }))
      }),
    members: () => ask(() => [...nodes.values()]),
    // Reading them now and then is enough.
    onReport: () => {},
    leave: (nodeId) =>
      ask(() => {
        nodes.delete(nodeId)
      }),
    remove: (nodeId, renewals) =>
      ask(() => {
        const node = nodes.get(nodeId)
        if (node !== undefined && node.renewals <= renewals) nodes.delete(nodeId)
      }),
  }
}
