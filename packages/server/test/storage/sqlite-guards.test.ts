import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'
import { installation, issue, NOW_MS, newAuditEvent, revoke, settle } from './fixtures.ts'

const TOKEN_COLUMNS =
  'idx, id, jti, business_id, user_id, kid, name, description, scopes, created_at_ms, expires_at_ms, issued_by'

/** Another token like the first, with some columns replaced by SQL expressions. */
function copyOfToken(verb: string, replaced: Record<string, string>): string {
  const values = TOKEN_COLUMNS.split(', ').map((column) => replaced[column] ?? column)
  return `${verb} INTO tokens (${TOKEN_COLUMNS}) SELECT ${values.join(', ')} FROM tokens WHERE idx = 0`
}

function copyOfRow(verb: string, table: string, columns: Record<string, string>): string {
  return `${verb} INTO ${table} (${Object.keys(columns)}) SELECT ${Object.values(columns)} FROM ${table} LIMIT 1`
}

function opening(epoch: string, beforeIdx: string): string {
  const body = `json_array('epoch_opened', ${epoch}, ${beforeIdx})`
  return `INSERT INTO revocation_log SELECT seq + 1, 'epoch_opened', ${body}, 1, hash, 'h' FROM log_head`
}

const LOG = { kind: 'kind', body: 'body', at_ms: 'at_ms', prev_hash: 'prev_hash', hash: 'hash' }
const HEAD = { id: 'id', epoch: 'epoch', seq: 'seq', hash: 'hash' }
const BULK = { seq: 'seq', kind: 'kind', business_id: 'business_id', revoked_at_ms: 'revoked_at_ms' }
const KEY = { kid: 'kid', jwk: 'jwk', sealed_private_key: 'sealed_private_key', created_at_ms: 'created_at_ms' }
const NODE = { node_id: 'node_id', joined_at_ms: '1' }
const AUDIT = { at_ms: '1', action: 'action', request_id: '1', user_id: '1', email: '1', subject_id: '1' }

/** Entries 1 (token 0), 2 (business, below 3) and 3 (names token 3, whose row is not marked). Indexes 0 to 3 are tokens, 4 is taken and unused. */
const FORBIDDEN: Record<string, { readonly message: RegExp; readonly statements: readonly string[] }> = {
  'a second installation': {
    message: /one installation/,
    statements: [
      `INSERT INTO installation SELECT 2, issuer, epoch, token_prefix, operator_user_id, operator_email, 1 FROM installation`,
      `REPLACE INTO installation SELECT 1, 'x', 'x', 'x', 'x', 'x', 1`,
    ],
  },
  'another issuer or epoch': {
    message: /never change/,
    statements: [`UPDATE installation SET issuer = 'x'`, `UPDATE installation SET epoch = 'x'`],
  },
  'no installation': { message: /never deleted/, statements: ['DELETE FROM installation'] },
  'a changed entry': {
    message: /entry of the revocation log never changes/,
    statements: [
      `UPDATE revocation_log SET body = '["token_revoked",9]' WHERE seq = 1`,
      'UPDATE revocation_log SET at_ms = 0 WHERE seq = 1',
      `UPDATE revocation_log SET hash = 'x' WHERE seq = 3`,
      'UPDATE revocation_log SET rowid = 9 WHERE seq = 3',
      'UPDATE OR REPLACE revocation_log SET seq = 1 WHERE seq = 2',
    ],
  },
  'a deleted entry': {
    message: /entry of the revocation log is never deleted/,
    statements: ['DELETE FROM revocation_log WHERE seq = 3', 'DELETE FROM revocation_log'],
  },
  'an entry that does not continue the head': {
    message: /must continue the head/,
    statements: [
      copyOfRow('INSERT', 'revocation_log', { seq: '5', ...LOG, prev_hash: '(SELECT hash FROM log_head)' }),
      copyOfRow('INSERT', 'revocation_log', { seq: '0', ...LOG }),
      copyOfRow('INSERT', 'revocation_log', { seq: '4', ...LOG }),
      copyOfRow('INSERT', 'revocation_log', { ...LOG, prev_hash: '(SELECT hash FROM log_head)' }),
      copyOfRow('REPLACE', 'revocation_log', { seq: '3', ...LOG }),
      copyOfRow('INSERT OR IGNORE', 'revocation_log', { seq: '5', ...LOG }),
    ],
  },
  'a head that moves without its entry': {
    message: /moves only to the entry that continues it/,
    statements: [
      'UPDATE log_head SET seq = 2',
      'UPDATE log_head SET seq = 4',
      `UPDATE log_head SET hash = 'x'`,
      `UPDATE log_head SET epoch = 'x'`,
      'UPDATE log_head SET rowid = 1, seq = 2, hash = (SELECT hash FROM revocation_log WHERE seq = 2)',
    ],
  },
  'an epoch that was there before': {
    message: /an epoch is opened once/,
    statements: [opening('(SELECT epoch FROM installation)', '4')],
  },
  'an epoch that knows of tokens that do not exist, or cannot tell': {
    message: /knows only of tokens that exist/,
    statements: [
      opening(`'x'`, '6'),
      opening(`'x'`, '1.5'),
      opening(`'x'`, 'NULL'),
      opening(`'x'`, `'1'`),
      opening('1', '1'),
    ],
  },
  'another head': {
    message: /has one head/,
    statements: [
      copyOfRow('REPLACE', 'log_head', { ...HEAD, seq: '0' }),
      copyOfRow('INSERT', 'log_head', { ...HEAD, id: '2', seq: '0' }),
    ],
  },
  'no head': { message: /head of the revocation log is never deleted/, statements: ['DELETE FROM log_head'] },
  'a counter that goes backwards': {
    message: /never goes backwards/,
    statements: ['UPDATE idx_counter SET next_idx = next_idx - 1', 'UPDATE idx_counter SET next_idx = 0'],
  },
  'another counter': {
    message: /one index counter/,
    statements: ['REPLACE INTO idx_counter VALUES (1, 0)', 'INSERT INTO idx_counter VALUES (2, 0)'],
  },
  'no counter': { message: /never deleted/, statements: ['DELETE FROM idx_counter'] },
  'a deleted token': { message: /token is never deleted/, statements: ['DELETE FROM tokens WHERE idx = 0'] },
  'a token in the place of another': {
    message: /used once/,
    statements: [
      copyOfToken('REPLACE', {}),
      copyOfToken('REPLACE', { id: `'x'`, jti: `'x'` }),
      copyOfToken('REPLACE', { idx: '4', jti: `'x'` }),
      copyOfToken('REPLACE', { idx: '4', id: `'x'` }),
      `${copyOfToken('INSERT', {}).replace('WHERE', 'WHERE true AND')} ON CONFLICT (idx) DO UPDATE SET revoked_seq = NULL, revoked_at_ms = NULL`,
    ],
  },
  'a token with an index that was not taken': {
    message: /taken from the counter/,
    statements: [
      copyOfToken('INSERT', { idx: '5', id: `'x'`, jti: `'x'` }),
      copyOfToken('INSERT', { idx: '-1', id: `'x'`, jti: `'x'` }),
    ],
  },
  'a token that is another one than it was': {
    message: /what a token is and may do never changes/,
    statements: [
      'idx = 4',
      'rowid = 4',
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
  'a revocation that is undone or changed': {
    message: /revocation of a token never changes/,
    statements: [
      'UPDATE tokens SET revoked_seq = NULL, revoked_at_ms = NULL, revoked_by = NULL, revocation_reason = NULL',
      'UPDATE tokens SET revoked_seq = 3 WHERE idx = 0',
      'UPDATE tokens SET revoked_at_ms = 0 WHERE idx = 0',
      `UPDATE tokens SET revoked_by = 'x' WHERE idx = 0`,
      `UPDATE tokens SET revocation_reason = 'x' WHERE idx = 0`,
      `UPDATE tokens SET revoked_by = NULL, revocation_reason = 'x' WHERE idx = 0`,
    ],
  },
  'a revocation without an entry that names the token': {
    message: /revoked only by the entry that names it/,
    statements: [1, 2, 4].map((seq) => `UPDATE tokens SET revoked_seq = ${seq}, revoked_at_ms = 1 WHERE idx = 3`),
  },
  'a token born revoked': {
    message: /through the revocation log only/,
    statements: [
      copyOfToken('INSERT', { idx: '4', id: `'x'`, jti: `'x'` })
        .replace('issued_by)', 'issued_by, revoked_seq, revoked_at_ms)')
        .replace('issued_by FROM', 'issued_by, 1, 1 FROM'),
    ],
  },
  'a bulk revocation that is undone or changed': {
    message: /bulk revocation never changes/,
    statements: [
      'seq = 3',
      'rowid = 3',
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
  'a deleted bulk revocation': { message: /never deleted/, statements: ['DELETE FROM bulk_revocations'] },
  'a bulk revocation in the place of another': {
    message: /makes one bulk revocation/,
    statements: [copyOfRow('REPLACE', 'bulk_revocations', { ...BULK, before_idx: 'before_idx' })],
  },
  'a bulk revocation that says something else than its entry': {
    message: /must say what its entry says/,
    statements: [copyOfRow('INSERT', 'bulk_revocations', { ...BULK, seq: '3', before_idx: '3' })],
  },
  'a signing key that is altered or un-retired': {
    message: /signing key never changes/,
    statements: [
      'UPDATE signing_keys SET retired_at_ms = NULL',
      'UPDATE signing_keys SET retired_at_ms = 0',
      `UPDATE signing_keys SET kid = 'x'`,
      'UPDATE signing_keys SET ordinal = 9',
      'UPDATE signing_keys SET rowid = 9',
      `UPDATE signing_keys SET jwk = json_set(jwk, '$.x', 'x')`,
      `UPDATE signing_keys SET sealed_private_key = x'00'`,
      'UPDATE signing_keys SET created_at_ms = 0',
    ],
  },
  'a deleted signing key': { message: /never deleted/, statements: ['DELETE FROM signing_keys'] },
  'a signing key in the place of another': {
    message: /added once/,
    statements: [
      copyOfRow('REPLACE', 'signing_keys', KEY),
      copyOfRow('REPLACE', 'signing_keys', { ordinal: '9', ...KEY, sealed_private_key: `x'00'` }),
      `REPLACE INTO signing_keys VALUES (1, 'x', '{"kid":"x"}', x'00', 1, NULL)`,
    ],
  },
  'a node in the place of another': {
    message: /id of a node is used once/,
    statements: [
      copyOfRow('REPLACE', 'nodes', { ...NODE, lease_ms: '1' }),
      copyOfRow('INSERT OR IGNORE', 'nodes', { ...NODE, lease_ms: '1' }),
      `REPLACE INTO nodes (node_id, lease_ms, joined_at_ms) VALUES ('left', 1, 1)`,
      `INSERT INTO nodes (node_id, lease_ms, joined_at_ms) VALUES ('left', 1, 1) ON CONFLICT (node_id) DO UPDATE SET left_at_ms = NULL`,
    ],
  },
  'a node that joins with a past': {
    message: /joins without renewals and has reported nothing/,
    statements: ['renewals', 'in_force_seq', 'left_at_ms'].map(
      (column) => `INSERT INTO nodes (node_id, lease_ms, joined_at_ms, ${column}) VALUES ('x', 1, 1, 1)`,
    ),
  },
  'a node that is another one than it was, or whose lease changes': {
    message: /id and the lease length of a node never change/,
    statements: [`node_id = 'x'`, 'lease_ms = lease_ms - 1', 'lease_ms = lease_ms + 1', 'joined_at_ms = 0']
      .map((change) => `UPDATE nodes SET ${change} WHERE node_id = 'present'`)
      .concat(`UPDATE OR REPLACE nodes SET node_id = 'left' WHERE node_id = 'present'`),
  },
  'a node without a lease': {
    message: /CHECK constraint failed: lease_ms > 0/,
    statements: [`INSERT INTO nodes (node_id, lease_ms, joined_at_ms) VALUES ('x', 0, 1)`],
  },
  'a node that renews backwards': {
    message: /renewals of a node never go backwards/,
    statements: [`UPDATE nodes SET renewals = -1 WHERE node_id = 'present'`],
  },
  'a node that comes back': {
    message: /node that has left never comes back/,
    statements: ['left_at_ms = NULL', 'left_at_ms = 0', 'renewals = 1', 'in_force_seq = 1'].map(
      (change) => `UPDATE nodes SET ${change} WHERE node_id = 'left'`,
    ),
  },
  'a deleted node': {
    message: /node is never deleted/,
    statements: [`DELETE FROM nodes WHERE node_id = 'left'`, `DELETE FROM nodes WHERE node_id = 'present'`],
  },
  'an altered audit event': { message: /never changes/, statements: [`UPDATE audit_events SET email = 'x'`] },
  'a deleted audit event': { message: /never deleted/, statements: ['DELETE FROM audit_events'] },
  'an audit event in the place of another': {
    message: /written once/,
    statements: [copyOfRow('REPLACE', 'audit_events', { id: 'id', ...AUDIT })],
  },
}

const ALLOWED = [
  'UPDATE tokens SET revoked_by = NULL WHERE idx = 0',
  'UPDATE tokens SET revocation_reason = NULL WHERE idx = 0',
  'UPDATE tokens SET revoked_by = NULL, revocation_reason = NULL WHERE idx = 0',
  'UPDATE bulk_revocations SET revoked_by = NULL, revocation_reason = NULL',
  'UPDATE tokens SET last_used_at_ms = 9 WHERE idx = 0',
  'UPDATE tokens SET revoked_seq = 3, revoked_at_ms = 1 WHERE idx = 3',
  copyOfToken('INSERT', { idx: '4', id: `'x'`, jti: `'x'` }),
  `INSERT INTO nodes (node_id, lease_ms, joined_at_ms) VALUES ('x', 1, 1)`,
  `UPDATE nodes SET renewals = renewals + 1, in_force_seq = 3 WHERE node_id = 'present'`,
  `UPDATE nodes SET left_at_ms = 9 WHERE node_id = 'present'`,
  opening(`'x'`, '5'),
]

describe('the database itself refuses', () => {
  let dataDir: string
  let db: DatabaseSync
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'rescind-guards-'))
    const storage = await openSqlite({ dataDir, clock: { nowMs: () => NOW_MS } })
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
    await storage.close()
    db = new DatabaseSync(join(dataDir, 'rescind.db'), { enableForeignKeyConstraints: false })
  })
  after(async () => {
    db.close()
    await rm(dataDir, { recursive: true })
  })

  function attempt(statement: string): void {
    db.exec('BEGIN')
    try {
      assert.notEqual(db.prepare(statement).run().changes, 0, 'the statement concerns some row')
    } finally {
      db.exec('ROLLBACK')
    }
  }

  for (const recursiveTriggers of ['ON', 'OFF']) {
    for (const [what, { message, statements }] of Object.entries(FORBIDDEN)) {
      for (const statement of statements) {
        test(`${what} (recursive_triggers ${recursiveTriggers}): ${statement}`, () => {
          db.exec(`PRAGMA recursive_triggers = ${recursiveTriggers}`)
          assert.throws(() => attempt(statement), message)
        })
      }
    }
  }

  test('a second revocation of a token that a bulk revocation covers', () => {
    db.exec('BEGIN')
    const append = db.prepare(
      `INSERT INTO revocation_log SELECT seq + 1, 'token_revoked', '["token_revoked",1]', 1, hash, 'h' FROM log_head`,
    )
    append.run()
    const mark = db.prepare('UPDATE tokens SET revoked_seq = 4, revoked_at_ms = 1 WHERE idx = 1')
    assert.throws(() => mark.run(), /already revoked by an earlier entry/)
    db.exec('ROLLBACK')
  })

  test('a head that names another epoch than the entry that opened it', () => {
    db.exec('BEGIN')
    db.prepare(opening(`'x'`, '5')).run()
    assert.deepEqual({ ...db.prepare('SELECT epoch, seq FROM log_head').get() }, { epoch: 'x', seq: 4 })
    db.prepare(
      `INSERT INTO revocation_log SELECT seq + 1, 'key_retired', '["key_retired","k"]', 1, hash, 'i' FROM log_head`,
    ).run()
    assert.equal(db.prepare('SELECT epoch FROM log_head').get()?.epoch, 'x')
    for (const epoch of [`'y'`, '(SELECT epoch FROM installation)']) {
      assert.throws(() => db.exec(`UPDATE log_head SET epoch = ${epoch}`), /moves only to the entry that continues it/)
    }
    db.exec('ROLLBACK')

    // By hand, as the entry is inserted.
    db.exec('BEGIN; DROP TRIGGER log_moves_head')
    db.prepare(opening(`'x'`, '5')).run()
    const move = (epoch: string) => db.exec(`UPDATE log_head SET seq = seq + 1, hash = 'h', epoch = ${epoch}`)
    for (const epoch of ['epoch', `'y'`]) assert.throws(() => move(epoch), /moves only to the entry that continues it/)
    move(`'x'`)
    db.prepare(
      `INSERT INTO revocation_log SELECT seq + 1, 'key_retired', '["key_retired","k"]', 1, hash, 'h' FROM log_head`,
    ).run()
    assert.throws(() => move(`'y'`), /moves only to the entry that continues it/)
    db.exec('ROLLBACK')
  })

  for (const statement of ALLOWED) {
    test(`but not: ${statement}`, () => attempt(statement))
  }
})
