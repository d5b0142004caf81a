import type { NodeRecord } from '../records.ts'
import type { NodeTable } from './schema.ts'
import { command } from './statement.ts'

/** The nodes that joined, and which of them have left. */
export const insertNode = command<{ nodeId: string; leaseMs: number; atMs: number }>((db, args) =>
  db.insertInto('nodes').values({ node_id: args.nodeId, lease_ms: args.leaseMs, joined_at_ms: args.atMs }),
)

/** Does nothing for a node that has left. */
export const markNodeLeft = command<{ nodeId: string; atMs: number }>((db, args) =>
  db
    .updateTable('nodes')
    .set({ left_at_ms: args.atMs })
    .where('node_id', '=', args.nodeId)
    .where('left_at_ms', 'is', null),
)

/** Changes nothing for a node that has left, or has granted before. */
export const markNodeGranting = command<{ nodeId: string; atMs: number }>((db, args) =>
  db
    .updateTable('nodes')
    .set({ grants_since_ms: args.atMs })
    .where('node_id', '=', args.nodeId)
    .where('left_at_ms', 'is', null)
    .where('grants_since_ms', 'is', null),
)

export function decodeNode(
  row: Pick<NodeTable, 'node_id' | 'lease_ms'> & { readonly renewals: number; readonly in_force_seq: number },
): NodeRecord {
  return { nodeId: row.node_id, leaseMs: row.lease_ms, renewals: row.renewals, inForceSeq: row.in_force_seq }
}
