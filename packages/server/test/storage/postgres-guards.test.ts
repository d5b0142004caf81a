import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Client } from 'pg'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import { installation, issue, NOW_MS, newAuditEvent, revoke, sequence, settle } from './fixtures.ts'
import { PostgresSchema } from './postgres-schema.ts'

const { url, skip } = await databaseForTests()

const TOKEN_COLUMNS =
  'idx, id, jti, business_id, user_id, kid, name, description, scopes, created_at_ms, expires_at_ms, issued_by'

/** Another token like the first, with some columns replaced by SQL expressions. */
function copyOfToken(replaced: Record<string, string>, columns = TOKEN_COLUMNS): string {
  const values = columns.split(', ').map((column) => replaced[column] ?? column)
  return `INSERT INTO tokens (${columns}) SELECT ${values.join(', ')} FROM tokens WHERE idx = 0`
}

function copyOfRow(table: string, columns: Record<string, string>): string {
  return `INSERT INTO ${table} (${Object.keys(columns)}) SELECT ${Object.values(columns)} FROM ${table} LIMIT 1`
}

const LOG = { kind: 'kind', body: 'body', at_ms: 'at_ms', prev_hash: 'prev_hash', hash: 'hash' }
const HEAD = { id: 'id', epoch: 'epoch', seq: 'seq', hash: 'hash' }
const BULK = { seq: 'seq', kind: 'kind', business_id: 'business_id', revoked_at_ms: 'revoked_at_ms' }
const KEY = { kid: 'kid', jwk: 'jwk', sealed_private_key: 'sealed_private_key', created_at_ms: 'created_at_ms' }
const NEW_TOKEN = { idx: '4', id: `'x'`, jti: `'x'` }
const REVIVED = 'SET revoked_seq = NULL, revoked_at_ms = NULL, revoked_by = NULL, revocation_reason = NULL'

interface Forbidden {
  /** The trigger that refuses it. */
  readonly guard: string
  readonly message: RegExp
  readonly statements: readonly string[]
}

/** An entry that continues the log and opens an epoch. @param epoch an SQL expression */
function opening(epoch: string, beforeIdx: string): string {
  return `INSERT INTO revocation_log (seq, kind, body, at_ms, prev_hash, hash)
    SELECT seq + 1, 'epoch_opened', '["epoch_opened","' || ${epoch} || '",${beforeIdx}]', 1, hash, 'x' FROM log_head`
}

/** Entries 1 (token 0), 2 (business, below 3) and 3 (names token 3, whose row is not marked). Indexes 0 to 3 are tokens, 4 is taken and unused. */
const FORBIDDEN: readonly Forbidden[] = [
  {
    guard: 'installation_once',
    message: /one installation/,
    statements: [
      'INSERT INTO installation SELECT 2, issuer, epoch, token_prefix, operator_user_id, operator_email, 1 FROM installation',
      `INSERT INTO installation VALUES (1, 'x', 'x', 'x', 'x', 'x', 1) ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch`,
    ],
  },
  {
    guard: 'installation_fixed',
    message: /never change/,
    statements: [`issuer = 'x'`, `epoch = 'x'`].map((change) => `UPDATE installation SET ${change}`),
  },
  {
    guard: 'installation_kept',
    message: /never deleted/,
    statements: ['DELETE FROM installation', 'DELETE FROM installation WHERE false', 'TRUNCATE installation'],
  },
  {
    guard: 'log_unchanged',
    message: /entry of the revocation log never changes/,
    statements: [
      `UPDATE revocation_log SET body = '["token_revoked",9]' WHERE seq = 1`,
      'UPDATE revocation_log SET at_ms = 0 WHERE seq = 1',
      `UPDATE revocation_log SET hash = 'x' WHERE seq = 3`,
      'UPDATE revocation_log SET seq = 9 WHERE seq = 3',
      `MERGE INTO revocation_log USING (VALUES (1)) AS source (seq) ON revocation_log.seq = source.seq
        WHEN MATCHED THEN UPDATE SET at_ms = 0`,
    ],
  },
  {
    guard: 'log_kept',
    message: /entry of the revocation log is never deleted/,
    statements: [
      'DELETE FROM revocation_log WHERE seq = 3',
      'DELETE FROM revocation_log',
      'TRUNCATE revocation_log CASCADE',
      'TRUNCATE revocation_log, tokens, bulk_revocations',
      `MERGE INTO revocation_log USING (VALUES (3)) AS source (seq) ON revocation_log.seq = source.seq WHEN MATCHED THEN DELETE`,
    ],
  },
  {
    guard: 'log_continues',
    message: /must continue the head/,
    statements: [
      copyOfRow('revocation_log', { seq: '5', ...LOG, prev_hash: '(SELECT hash FROM log_head)' }),
      copyOfRow('revocation_log', { seq: '0', ...LOG }),
      copyOfRow('revocation_log', { seq: '4', ...LOG }),
      copyOfRow('revocation_log', { seq: '2', ...LOG, prev_hash: '(SELECT hash FROM log_head)' }),
      `${copyOfRow('revocation_log', { seq: '1', ...LOG })} ON CONFLICT (seq) DO UPDATE SET body = excluded.body`,
      `COPY revocation_log (seq, kind, body, at_ms, prev_hash, hash) FROM PROGRAM 'printf "9\\ttoken_revoked\\t[\\"token_revoked\\",1]\\t1\\tx\\tx\\n"'`,
    ],
  },
  {
    guard: 'epoch_new',
    message: /an epoch is opened once/,
    statements: [opening('(SELECT epoch FROM installation)', '4')],
  },
  {
    guard: 'epoch_within_counter',
    message: /knows only of tokens that exist/,
    statements: ['6', '1.5', 'null', '"1"'].map((beforeIdx) => opening(`'x'`, beforeIdx)),
  },
  {
    guard: 'head_follows_log',
    message: /moves only to the entry that continues it/,
    statements: [
      'UPDATE log_head SET seq = 2',
      'UPDATE log_head SET seq = 4',
      `UPDATE log_head SET hash = 'x'`,
      `UPDATE log_head SET epoch = 'x'`,
      'UPDATE log_head SET id = 1',
      'UPDATE log_head SET seq = 2, hash = (SELECT hash FROM revocation_log WHERE seq = 2)',
    ],
  },
  {
    guard: 'head_once',
    message: /has one head/,
    statements: [
      copyOfRow('log_head', { ...HEAD, id: '2', seq: '0' }),
      `${copyOfRow('log_head', { ...HEAD, seq: '0' })} ON CONFLICT (id) DO UPDATE SET seq = 0`,
    ],
  },
  {
    guard: 'head_kept',
    message: /head of the revocation log is never deleted/,
    statements: ['DELETE FROM log_head', 'TRUNCATE log_head'],
  },
  {
    guard: 'counter_forward',
    message: /never goes backwards/,
    statements: ['next_idx - 1', '0'].map((next) => `UPDATE idx_counter SET next_idx = ${next}`),
  },
  {
    guard: 'counter_once',
    message: /one index counter/,
    statements: [
      'INSERT INTO idx_counter VALUES (2, 0)',
      'INSERT INTO idx_counter VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET next_idx = 0',
    ],
  },
  { guard: 'counter_kept', message: /never deleted/, statements: ['DELETE FROM idx_counter', 'TRUNCATE idx_counter'] },
  {
    guard: 'token_kept',
    message: /token is never deleted/,
    statements: [
      'DELETE FROM tokens WHERE idx = 0',
      'TRUNCATE tokens',
      'TRUNCATE businesses CASCADE',
      'MERGE INTO tokens USING (VALUES (0)) AS source (idx) ON tokens.idx = source.idx WHEN MATCHED THEN DELETE',
    ],
  },
  {
    guard: 'token_new',
    message: /used once/,
    statements: [
      copyOfToken({}),
      copyOfToken({ id: `'x'`, jti: `'x'` }),
      copyOfToken({ idx: '4', jti: `'x'` }),
      copyOfToken({ idx: '4', id: `'x'` }),
      `${copyOfToken({})} ON CONFLICT (idx) DO UPDATE ${REVIVED}`,
      `${copyOfToken({})} ON CONFLICT DO NOTHING`,
    ],
  },
  {
    guard: 'token_idx_taken',
    message: /taken from the counter/,
    statements: ['5', '-1'].map((idx) => copyOfToken({ ...NEW_TOKEN, idx })),
  },
  {
    guard: 'token_identity',
    message: /what a token is and may do never changes/,
    statements: [
      'idx = 4',
      `id = 'x'`,
      `jti = 'x'`,
      'business_id = NULL',
      `user_id = 'x'`,
      `kid = 'x'`,
      `scopes = 'operator'`,
      'created_at_ms = 0',
      'expires_at_ms = expires_at_ms + 1',
      `issued_by = 'x'`,
    ].map((change) => `UPDATE tokens SET ${change} WHERE idx = 1`),
  },
  {
    guard: 'token_revocation_final',
    message: /revocation of a token never changes/,
    statements: [
      `UPDATE tokens ${REVIVED}`,
      'UPDATE tokens SET revoked_seq = 3 WHERE idx = 0',
      'UPDATE tokens SET revoked_at_ms = 0 WHERE idx = 0',
      `UPDATE tokens SET revoked_by = 'x' WHERE idx = 0`,
      `UPDATE tokens SET revocation_reason = 'x' WHERE idx = 0`,
      `UPDATE tokens SET revoked_by = NULL, revocation_reason = 'x' WHERE idx = 0`,
      `MERGE INTO tokens USING (VALUES (0)) AS source (idx) ON tokens.idx = source.idx WHEN MATCHED THEN UPDATE ${REVIVED}`,
      `WITH changed AS (UPDATE tokens ${REVIVED} RETURNING idx) SELECT idx FROM changed`,
    ],
  },
  {
    guard: 'token_revocation_logged',
    message: /revoked only by the entry that names it/,
    statements: [1, 2, 4].map((seq) => `UPDATE tokens SET revoked_seq = ${seq}, revoked_at_ms = 1 WHERE idx = 3`),
  },
  {
    guard: 'token_revocation_first',
    message: /already revoked by an earlier entry/,
    statements: [
      `WITH appended AS (INSERT INTO revocation_log
          SELECT seq + 1, 'token_revoked', '["token_revoked",1]', 1, hash, 'h' FROM log_head RETURNING seq)
        SELECT seq FROM appended;
      UPDATE tokens SET revoked_seq = 4, revoked_at_ms = 1 WHERE idx = 1`,
    ],
  },
  {
    guard: 'token_born_alive',
    message: /through the revocation log only/,
    statements: [
      copyOfToken(
        { ...NEW_TOKEN, revoked_seq: '1', revoked_at_ms: '1' },
        `${TOKEN_COLUMNS}, revoked_seq, revoked_at_ms`,
      ),
    ],
  },
  {
    guard: 'bulk_final',
    message: /bulk revocation never changes/,
    statements: [
      'seq = 3',
      'before_idx = 0',
      'before_idx = 4',
      `business_id = 'x'`,
      `kind = 'key'`,
      `user_id = 'x'`,
      `kid = 'x'`,
      'revoked_at_ms = 0',
      `revoked_by = 'x'`,
      `revocation_reason = 'x'`,
    ].map((change) => `UPDATE bulk_revocations SET ${change}`),
  },
  {
    guard: 'bulk_kept',
    message: /never deleted/,
    statements: ['DELETE FROM bulk_revocations', 'TRUNCATE bulk_revocations'],
  },
  {
    guard: 'bulk_once',
    message: /makes one bulk revocation/,
    statements: [
      copyOfRow('bulk_revocations', { ...BULK, before_idx: 'before_idx' }),
      `${copyOfRow('bulk_revocations', { ...BULK, before_idx: 'before_idx' })} ON CONFLICT (seq) DO UPDATE SET before_idx = 0`,
    ],
  },
  {
    guard: 'bulk_logged',
    message: /must say what its entry says/,
    statements: [
      copyOfRow('bulk_revocations', { ...BULK, seq: '3', before_idx: '3' }),
      copyOfRow('bulk_revocations', { ...BULK, seq: '3', before_idx: '3', kind: `'no kind'` }),
      copyOfRow('bulk_revocations', { ...BULK, seq: '3', before_idx: '3', business_id: 'NULL' }),
    ],
  },
  {
    guard: 'bulk_within_counter',
    message: /ends only tokens that exist/,
    statements: [
      `WITH appended AS (INSERT INTO revocation_log
          SELECT seq + 1, 'business_revoked', '["business_revoked","' || (SELECT id FROM businesses) || '",9]', 1, hash, 'h'
          FROM log_head RETURNING seq)
        SELECT seq FROM appended;
      ${copyOfRow('bulk_revocations', { ...BULK, seq: '4', before_idx: '9' })}`,
    ],
  },
  {
    guard: 'key_fixed',
    message: /signing key never changes/,
    statements: [
      'retired_at_ms = NULL',
      'retired_at_ms = 0',
      `kid = 'x'`,
      'ordinal = DEFAULT',
      `jwk = '{}'`,
      `sealed_private_key = '\\x00'`,
      'created_at_ms = 0',
    ].map((change) => `UPDATE signing_keys SET ${change}`),
  },
  {
    guard: 'key_kept',
    message: /signing key is never deleted/,
    statements: ['DELETE FROM signing_keys', 'TRUNCATE signing_keys CASCADE'],
  },
  {
    guard: 'key_once',
    message: /added once/,
    statements: [
      copyOfRow('signing_keys', KEY),
      `INSERT INTO signing_keys (ordinal, kid, jwk, sealed_private_key, created_at_ms) OVERRIDING SYSTEM VALUE
        VALUES (1, 'x', '{"kid":"x"}', '', 1)`,
      `${copyOfRow('signing_keys', KEY)} ON CONFLICT (kid) DO UPDATE SET retired_at_ms = NULL`,
      `SELECT setval(pg_get_serial_sequence('signing_keys', 'ordinal'), 1, false);
      ${copyOfRow('signing_keys', { ...KEY, kid: `'x'`, jwk: `'{"kid":"x"}'` })}`,
    ],
  },
  {
    guard: 'node_new',
    message: /id of a node is used once/,
    statements: [
      `INSERT INTO nodes (node_id, lease_ms, joined_at_ms) VALUES ('present', 1, 1)`,
      `INSERT INTO nodes (node_id, lease_ms, joined_at_ms) VALUES ('left', 1, 1)
        ON CONFLICT (node_id) DO UPDATE SET left_at_ms = NULL`,
      `INSERT INTO nodes (node_id, lease_ms, joined_at_ms) VALUES ('left', 1, 1) ON CONFLICT DO NOTHING`,
    ],
  },
  {
    guard: 'node_joins',
    message: /joins without renewals and has reported nothing/,
    statements: ['renewals', 'in_force_seq', 'left_at_ms'].map(
      (column) => `INSERT INTO nodes (node_id, lease_ms, joined_at_ms, ${column}) VALUES ('x', 1, 1, 1)`,
    ),
  },
  {
    guard: 'node_identity',
    message: /id and the lease length of a node never change/,
    statements: [`node_id = 'x'`, 'lease_ms = lease_ms - 1', 'lease_ms = lease_ms + 1', 'joined_at_ms = 0'].map(
      (change) => `UPDATE nodes SET ${change} WHERE node_id = 'present'`,
    ),
  },
  {
    guard: 'node_renews',
    message: /renewals of a node never go backwards/,
    statements: [`UPDATE nodes SET renewals = -1 WHERE node_id = 'present'`],
  },
  {
    guard: 'node_grants',
    message: /never taken back/,
    statements: ['NULL', '1'].map((value) => `UPDATE nodes SET grants_since_ms = ${value} WHERE node_id = 'present'`),
  },
  {
    guard: 'node_leaves_once',
    message: /node that has left never comes back/,
    statements: ['left_at_ms = NULL', 'left_at_ms = 0', 'renewals = 1', 'in_force_seq = 1'].map(
      (change) => `UPDATE nodes SET ${change} WHERE node_id = 'left'`,
    ),
  },
  {
    guard: 'node_kept',
    message: /node is never deleted/,
    statements: [
      `DELETE FROM nodes WHERE node_id = 'left'`,
      `DELETE FROM nodes WHERE node_id = 'present'`,
      'TRUNCATE nodes',
    ],
  },
  { guard: 'audit_unchanged', message: /never changes/, statements: [`UPDATE audit_events SET email = 'x'`] },
  {
    guard: 'audit_kept',
    message: /never deleted/,
    statements: ['DELETE FROM audit_events', 'TRUNCATE audit_events'],
  },
  {
    guard: 'audit_once',
    message: /written once/,
    statements: [
      `INSERT INTO audit_events SELECT * FROM audit_events ON CONFLICT (id) DO UPDATE SET action = 'x'`,
      'INSERT INTO audit_events SELECT * FROM audit_events',
    ],
  },
]

const REFUSED_OTHERWISE: Record<string, string> = {
  'a change through the view': `UPDATE token_status ${REVIVED} WHERE idx = 0`,
  'a deletion through the view': 'DELETE FROM token_status WHERE idx = 0',
  'a revocation without its time': 'UPDATE tokens SET revoked_seq = 3 WHERE idx = 3',
  'a revocation by an entry that is still to come': `SET CONSTRAINTS ALL DEFERRED;
    UPDATE tokens SET revoked_seq = 9, revoked_at_ms = 1 WHERE idx = 3`,
  'an entry of another kind than it says': `INSERT INTO revocation_log
    SELECT seq + 1, 'key_added', '["token_revoked",1]', 1, hash, 'h' FROM log_head`,
  'a node without a lease': `INSERT INTO nodes (node_id, lease_ms, joined_at_ms) VALUES ('x', 0, 1)`,
  'a deleted business that has tokens': 'DELETE FROM businesses',
}

const ALLOWED = [
  'UPDATE tokens SET revoked_by = NULL WHERE idx = 0',
  'UPDATE tokens SET revocation_reason = NULL WHERE idx = 0',
  'UPDATE tokens SET revoked_by = NULL, revocation_reason = NULL WHERE idx = 0',
  'UPDATE bulk_revocations SET revoked_by = NULL, revocation_reason = NULL',
  'UPDATE tokens SET last_used_at_ms = 9 WHERE idx = 0',
  'UPDATE tokens SET revoked_seq = 3, revoked_at_ms = 1 WHERE idx = 3',
  copyOfToken(NEW_TOKEN),
  `INSERT INTO nodes (node_id, lease_ms, joined_at_ms) VALUES ('x', 1, 1)`,
  `UPDATE nodes SET renewals = renewals + 1, in_force_seq = 3 WHERE node_id = 'present'`,
  `UPDATE nodes SET left_at_ms = 9 WHERE node_id = 'present'`,
]

describe('the PostgreSQL database itself', { skip }, () => {
  let destroy = (): Promise<unknown> => Promise.resolve()
  let db: Client
  before(async () => {
    const schema = new PostgresSchema({ after: (end) => (destroy = end) }, url ?? '')
    const storage = await schema.open()
    const world = await settle(storage)
    const businessId = world.business.id
    await storage.transact(async (tx) => {
      for (const _ of [0, 1, 2]) await issue(tx, world, { issuedBy: installation.operatorUserId })
      await revoke(tx, 0)
      const entry = await tx.appendEntry({ kind: 'business_revoked', businessId, beforeIdx: 3 }, NOW_MS)
      const revocation = { seq: entry.seq, atMs: NOW_MS, by: 'owner@example.com', reason: 'sold' }
      await tx.insertBulkRevocation({ kind: 'business', businessId }, 3, revocation)
      await issue(tx, world)
      await tx.takeIdx()
      await tx.appendEntry({ kind: 'token_revoked', idx: 3 }, NOW_MS)
      await tx.markKeyRetired(world.key.jwk.kid, NOW_MS)
      await tx.insertAuditEvent(newAuditEvent())
    })
    for (const nodeId of ['left', 'present']) await storage.membership.join({ nodeId, leaseMs: 2000 })
    await storage.membership.leave('left')
    await storage.membership.announceGrants('present')
    db = await schema.session()
  })
  after(() => destroy())

  /** Runs statements in a transaction that leaves nothing, up to the checks that come with a commit. */
  async function attempt(statements: string, first = ''): Promise<number> {
    await db.query('BEGIN')
    try {
      await db.query(first)
      const results: unknown = await db.query(`${statements}; SET CONSTRAINTS ALL IMMEDIATE`)
      return Array.isArray(results) ? (results.at(-2)?.rowCount ?? 0) : 0
    } finally {
      await db.query('ROLLBACK')
    }
  }

  for (const role of ['origin', 'replica', 'local']) {
    describe(`refuses, for a session whose replication role is ${role},`, () => {
      for (const { guard, message, statements } of FORBIDDEN) {
        for (const statement of statements) {
          test(`${guard}: ${statement}`, async () => {
            await assert.rejects(attempt(statement, `SET LOCAL session_replication_role = ${role}`), message)
          })
        }
      }
    })
  }

  for (const [what, statement] of Object.entries(REFUSED_OTHERWISE)) {
    test(`refuses ${what}`, async () => {
      await assert.rejects(attempt(statement))
    })
  }

  for (const statement of ALLOWED) {
    test(`allows: ${statement}`, async () => {
      assert.equal(await attempt(statement), 1)
    })
  }

  test('has no guard that is not needed for some of that', async () => {
    const { rows } = await db.query<{ table: string; guard: string }>(
      `SELECT tgrelid::regclass::text AS table, tgname AS guard FROM pg_trigger
       WHERE NOT tgisinternal AND tgname <> 'log_moves_head' AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)`,
    )
    assert.deepEqual(rows.map(({ guard }) => guard).toSorted(), FORBIDDEN.map(({ guard }) => guard).toSorted())
    for (const { table, guard } of rows) {
      const { message, statements = [] } = FORBIDDEN.find((each) => each.guard === guard) ?? { message: /^/ }
      const without = await sequence(statements, (statement) =>
        attempt(statement, `ALTER TABLE ${table} DISABLE TRIGGER ${guard}`).then(String, String),
      )
      for (const outcome of without) assert.doesNotMatch(outcome, message, guard)
    }
  })

  test('moves the head with the entry that is inserted', async () => {
    const { rows } = await db.query('SELECT seq, hash FROM log_head')
    const last = await db.query('SELECT seq, hash FROM revocation_log ORDER BY seq DESC LIMIT 1')
    assert.deepEqual(rows, last.rows)
  })
})
