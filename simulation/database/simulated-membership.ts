import { type Position, Unavailable } from '@rescind/protocol'
import type { Membership, NodeRecord } from '../../packages/server/storage/storage.ts'
import type { Written } from './server.ts'
import type { Tables } from './tables.ts'
import { View } from './view.ts'

interface MembershipDeps {
  /** Sends a statement that only reads. */
  readonly read: <T>(step: (tables: Tables) => T) => Promise<T>
  /** Sends a statement that writes. It happens at one instant. */
  readonly write: <T>(step: (tables: Tables) => T) => Promise<Written<T>>
  /** Where the log was followed to. */
  readonly followed: () => Position
  /** What is followed must be the history that has this entry. */
  readonly expect: (head: Position) => void
  /** The server has another history than the one that was followed. */
  readonly diverged: () => never
  /** Tells the other nodes. */
  readonly reported: () => void
  /** Calls back when another node may have reported something. */
  readonly onReport: (hint: () => void) => void
}

/** The rows of the nodes: every method is one statement, and what a server warns of counts for nothing. */
export function simulatedMembership({
  read,
  write,
  followed,
  expect,
  diverged,
  reported,
  onReport,
}: MembershipDeps): Membership {
  const change = ({ nodes }: Tables, nodeId: string, changed: (node: NodeRecord) => NodeRecord) => {
    const node = nodes.get(nodeId)
    if (node !== undefined) nodes.set(nodeId, changed(node))
    return node !== undefined
  }
  const confirmed = async <T>(written: Promise<Written<T>>): Promise<T> => {
    const { value, confirmation } = await written
    if (confirmation === 'warning') throw new Unavailable('storage_unavailable')
    return value
  }
  /** Renewals that were sent, of the node that sent the last one. */
  let sent = { nodeId: '', renewals: 0 }
  return {
    join: ({ nodeId, leaseMs }) =>
      confirmed(
        write(({ usedNodeIds, nodes }) => {
          if (usedNodeIds.has(nodeId)) throw new Error(`The node id ${nodeId} was used before.`)
          usedNodeIds.add(nodeId)
          nodes.set(nodeId, { nodeId, leaseMs, renewals: 0, inForceSeq: 0 })
        }),
      ),
    announceGrants: (nodeId) =>
      confirmed(
        write(({ nodes, grantingNodeIds }) => {
          if (!nodes.has(nodeId)) throw new Error(`The node ${nodeId} is no member.`)
          grantingNodeIds.add(nodeId)
        }),
      ),
    renew: async (nodeId, inForceSeq) => {
      const position = followed()
      sent = { nodeId, renewals: sent.nodeId === nodeId ? sent.renewals + 1 : 1 }
      const { renewals: count } = sent
      const counted = ({ renewals }: NodeRecord) => Math.max(renewals + 1, count)
      const { value, confirmation } = await write((tables) => {
        if (!new View({ tables }).includes(position)) return 'diverged'
        const renewed = change(tables, nodeId, (node) => ({ ...node, renewals: counted(node), inForceSeq }))
        return renewed ? tables.head : undefined
      })
      if (value === 'diverged') return diverged()
      if (confirmation === 'warning') throw new Unavailable('storage_unavailable')
      if (value !== undefined) expect(value)
      return value
    },
    // Whoever reads it knows that it is true, and losing it costs a wait: nobody need confirm it.
    report: async (nodeId, inForceSeq) => {
      const position = followed()
      const isHere = await read((tables) => {
        if (!new View({ tables }).includes(position)) return false
        change(tables, nodeId, (node) => ({ ...node, inForceSeq }))
        return true
      })
      if (!isHere) diverged()
      reported()
    },
    members: async () => {
      const position = followed()
      const members = await read((tables) =>
        new View({ tables }).includes(position) ? [...tables.nodes.values()] : undefined,
      )
      // Connections to a former primary show the members of then.
      if (members === undefined) throw new Unavailable('storage_unavailable')
      return members
    },
    onReport,
    leave: (nodeId) =>
      confirmed(
        write(({ nodes }) => {
          nodes.delete(nodeId)
        }),
      ),
    remove: (nodeId, renewals) =>
      confirmed(
        write(({ nodes }) => {
          const node = nodes.get(nodeId)
          if (node !== undefined && node.renewals <= renewals) nodes.delete(nodeId)
        }),
      ),
  }
}
