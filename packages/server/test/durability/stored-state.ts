import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { continues, decodeEntryBody, type Entry, type EntryBody, genesis, positionAfter } from '@rescind/protocol'

/** A token as the database has it. */
export interface StoredToken {
  readonly idx: number
  readonly id: string
  readonly jti: string
  readonly businessId: string | null
  readonly userId: string
  readonly kid: string
  readonly issuedBy: string | null
  readonly revokedSeq: number | null
  readonly revokedAtMs: number | null
  readonly revokedBy: string | null
  readonly reason: string | null
}

export interface StoredState {
  readonly entries: readonly Entry[]
  /** By record id. */
  readonly tokens: ReadonlyMap<string, StoredToken>
  /** `business id/user id`. */
  readonly members: ReadonlySet<string>
  readonly retiredKids: ReadonlySet<string>
}

/**
 * What a data folder holds once its service is gone, read by other means than the service's own. The files are copied
 * first: recovering a killed database is left to the next start.
 *
 * Checks on the way that the log counts 1, 2, 3, …, that every hash continues the one before, and that its head is its end.
 */
export function readStoredState(dataDir: string): StoredState {
  const copy = mkdtempSync(join(tmpdir(), 'rescind-copy-'))
  try {
    cpSync(dataDir, copy, { recursive: true })
    const db = new DatabaseSync(join(copy, 'rescind.db'))
    try {
      return readState(db)
    } finally {
      db.close()
    }
  } finally {
    rmSync(copy, { recursive: true })
  }
}

function readState(db: DatabaseSync): StoredState {
  assert.equal(db.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok')
  const tokens = db.prepare('SELECT * FROM token_status').all().map(readToken)
  const members = db.prepare('SELECT business_id, user_id FROM members').all()
  const retired = db.prepare('SELECT kid FROM signing_keys WHERE retired_at_ms IS NOT NULL').all()
  return {
    entries: readLog(db),
    tokens: new Map(tokens.map((token) => [token.id, token])),
    members: new Set(members.map((row) => `${row.business_id}/${row.user_id}`)),
    retiredKids: new Set(retired.map((row) => String(row.kid))),
  }
}

function readToken(row: Readonly<Record<string, unknown>>): StoredToken {
  const number = (name: string) => (row[name] === null ? null : Number(row[name]))
  const text = (name: string) => (row[name] === null ? null : String(row[name]))
  return {
    idx: Number(row.idx),
    id: String(row.id),
    jti: String(row.jti),
    businessId: text('business_id'),
    userId: String(row.user_id),
    kid: String(row.kid),
    issuedBy: text('issued_by'),
    revokedSeq: number('revoked_seq'),
    revokedAtMs: number('revoked_at_ms'),
    revokedBy: text('revoked_by'),
    reason: text('revocation_reason'),
  }
}

function readLog(db: DatabaseSync): Entry[] {
  const head = db.prepare('SELECT epoch, seq, hash FROM log_head').get()
  let position = genesis(String(db.prepare('SELECT epoch FROM installation').get()?.epoch))
  const entries: Entry[] = []
  for (const row of db.prepare('SELECT * FROM revocation_log ORDER BY seq').all()) {
    const entry: Entry = {
      seq: Number(row.seq),
      atMs: Number(row.at_ms),
      body: decodeEntryBody(String(row.body)),
      prevHash: String(row.prev_hash),
      hash: String(row.hash),
    }
    assert.ok(continues(position, entry), `entry ${entry.seq} does not continue ${position.seq}`)
    position = positionAfter(position, entry)
    entries.push(entry)
  }
  assert.deepEqual({ ...head }, position)
  return entries
}

/** True when an entry of the log ends this token. Read from the entries alone, not from what the tables say. */
export function isEndedByLog(state: StoredState, token: StoredToken): boolean {
  return state.entries.some(({ body }) => ends(body, token))
}

function ends(body: EntryBody, token: StoredToken): boolean {
  switch (body.kind) {
    case 'token_revoked':
      return body.idx === token.idx
    case 'business_revoked':
      return body.businessId === token.businessId && token.idx < body.beforeIdx
    case 'member_revoked':
      return body.businessId === token.businessId && body.userId === token.userId && token.idx < body.beforeIdx
    case 'key_retired':
      return body.kid === token.kid
    case 'key_added':
    case 'epoch_opened':
      return false
  }
}
