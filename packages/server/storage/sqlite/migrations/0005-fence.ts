import type { Migration } from './migration.ts'

/** Every table that was there before this step. */
const TABLES = [
  'installation',
  'businesses',
  'members',
  'signing_keys',
  'revocation_log',
  'log_head',
  'idx_counter',
  'tokens',
  'bulk_revocations',
  'audit_events',
  'nodes',
]

const FENCED = TABLES.flatMap((table) =>
  ['INSERT', 'UPDATE', 'DELETE'].map(
    (write) => `
CREATE TRIGGER fenced_${table}_${write.toLowerCase()} BEFORE ${write} ON ${table}
WHEN EXISTS (SELECT 1 FROM fence)
BEGIN SELECT RAISE(ABORT, 'this database was exported and takes no writes any more'); END;
`,
  ),
)

/** A database that was exported lives on elsewhere. Its one row here says so, and from then on nothing is written, for good. */
export const fence: Migration = {
  version: 5,
  name: 'fence',
  sql: `
CREATE TABLE fence (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  fenced_at_ms INTEGER NOT NULL,
  file TEXT NOT NULL,
  sha256 TEXT NOT NULL
) STRICT;

CREATE TRIGGER fence_once BEFORE INSERT ON fence
WHEN EXISTS (SELECT 1 FROM fence)
BEGIN SELECT RAISE(ABORT, 'a database is exported once'); END;

CREATE TRIGGER fence_fixed BEFORE UPDATE ON fence
BEGIN SELECT RAISE(ABORT, 'what was exported stays so'); END;

CREATE TRIGGER fence_kept BEFORE DELETE ON fence
BEGIN SELECT RAISE(ABORT, 'what was exported stays so'); END;
${FENCED.join('')}`,
}
