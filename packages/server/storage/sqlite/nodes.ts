import type { DatabaseSync } from 'node:sqlite'
import type { NodeRecord } from '../records.ts'
import { sqlBuilder } from './sql-builder.ts'
import { type Placeholders, prepareCommand, prepareQuery } from './statement.ts'

/** The nodes that joined, and which of them have left. */
export function nodeStatements(db: DatabaseSync) {
  const present = prepareQuery(db, () =>
    sqlBuilder.selectFrom('nodes').selectAll().where('left_at_ms', 'is', null).where('grants_since_ms', 'is not', null),
  )
  const insert = prepareCommand(db, (args: Placeholders<{ node_id: string; lease_ms: number; joined_at_ms: number }>) =>
    sqlBuilder
      .insertInto('nodes')
      .values({ node_id: args.node_id, lease_ms: args.lease_ms, joined_at_ms: args.joined_at_ms }),
  )
  const markGranting = prepareCommand(db, (args: Placeholders<{ nodeId: string; atMs: number }>) =>
    sqlBuilder.updateTable('nodes').set({ grants_since_ms: args.atMs }).where('node_id', '=', args.nodeId),
  )
  const markLeft = prepareCommand(db, (args: Placeholders<{ nodeId: string; atMs: number }>) =>
    sqlBuilder
      .updateTable('nodes')
      .set({ left_at_ms: args.atMs })
      .where('node_id', '=', args.nodeId)
      .where('left_at_ms', 'is', null),
  )

  return {
    /** Those that have granted leases and have not left. */
    nodes(): NodeRecord[] {
      return present.all({}).map((row) => ({
        nodeId: row.node_id,
        leaseMs: row.lease_ms,
        renewals: row.renewals,
        inForceSeq: row.in_force_seq,
      }))
    },
    insertNode({ nodeId, leaseMs }: { nodeId: string; leaseMs: number }, joinedAtMs: number): void {
      insert.run({ node_id: nodeId, lease_ms: leaseMs, joined_at_ms: joinedAtMs })
    },
    /** To be done once. */
    markNodeGranting(nodeId: string, atMs: number): void {
      markGranting.run({ nodeId, atMs })
    },
    /** Does nothing for a node that has left. */
    markNodeLeft(nodeId: string, atMs: number): void {
      markLeft.run({ nodeId, atMs })
    },
  }
}
