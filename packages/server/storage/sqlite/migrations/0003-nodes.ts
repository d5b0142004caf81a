import type { Migration } from './migration.ts'

/**
 * The nodes that may be deciding. One that has left is marked and kept, because its id is never used again. The triggers
 * are written as those of the tables before: updates without a column list, inserts checked for an existing row first.
 */
export const nodes: Migration = {
  version: 3,
  name: 'nodes',
  sql: `
CREATE TABLE nodes (
  node_id TEXT PRIMARY KEY,
  lease_ms INTEGER NOT NULL CHECK (lease_ms > 0),
  joined_at_ms INTEGER NOT NULL,
  renewals INTEGER NOT NULL DEFAULT 0,
  in_force_seq INTEGER NOT NULL DEFAULT 0,
  grants_since_ms INTEGER,
  left_at_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TRIGGER node_new BEFORE INSERT ON nodes
WHEN EXISTS (SELECT 1 FROM nodes WHERE node_id = NEW.node_id)
BEGIN SELECT RAISE(ABORT, 'the id of a node is used once'); END;

CREATE TRIGGER node_joins BEFORE INSERT ON nodes
WHEN NEW.renewals <> 0 OR NEW.in_force_seq <> 0 OR NEW.left_at_ms IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a node joins without renewals and has reported nothing'); END;

CREATE TRIGGER node_identity BEFORE UPDATE ON nodes
WHEN NEW.node_id IS NOT OLD.node_id OR NEW.lease_ms IS NOT OLD.lease_ms OR NEW.joined_at_ms IS NOT OLD.joined_at_ms
BEGIN SELECT RAISE(ABORT, 'the id and the lease length of a node never change'); END;

CREATE TRIGGER node_renews BEFORE UPDATE ON nodes
WHEN NEW.renewals < OLD.renewals
BEGIN SELECT RAISE(ABORT, 'the renewals of a node never go backwards'); END;

CREATE TRIGGER node_grants BEFORE UPDATE ON nodes
WHEN OLD.grants_since_ms IS NOT NULL AND NEW.grants_since_ms IS NOT OLD.grants_since_ms
BEGIN SELECT RAISE(ABORT, 'that a node grants leases is never taken back'); END;

CREATE TRIGGER node_leaves_once BEFORE UPDATE ON nodes
WHEN OLD.left_at_ms IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a node that has left never comes back'); END;

CREATE TRIGGER node_kept BEFORE DELETE ON nodes
BEGIN SELECT RAISE(ABORT, 'a node is never deleted'); END;
`,
}
