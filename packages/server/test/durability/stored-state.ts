import assert from 'node:assert/strict'
import { continues, decodeEntryBody, type Entry, type EntryBody, genesis, positionAfter } from '@rescind/protocol'
import { readStored } from '../service/test-database.ts'

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

type Row = Readonly<Record<string, unknown>>

export interface StoredState {
  readonly entries: readonly Entry[]
  /** By record id. */
  readonly tokens: ReadonlyMap<string, StoredToken>
  /** `business id/user id`. */
  readonly members: ReadonlySet<string>
  readonly retiredKids: ReadonlySet<string>
}

const TABLES = ['token_status', 'members', 'signing_keys', 'installation', 'log_head', 'revocation_log']

/**
 * What is stored once the service of a data folder is gone, read by other means than the service's own.
 *
 * Checks on the way that the log counts 1, 2, 3, …, that every hash continues the one before, and that its head is its end.
 */
export async function readStoredState(dataDir: string): Promise<StoredState> {
  const stored = await readStored(dataDir, ...TABLES.map((table) => `SELECT * FROM ${table}`))
  return stateIn(async (table) => stored[TABLES.indexOf(table)] ?? assert.fail(`${table} was not read`))
}

/** @param rowsOf all rows of a table or view, in any order */
export async function stateIn(rowsOf: (table: string) => Promise<readonly Row[]>): Promise<StoredState> {
  const tokens = (await rowsOf('token_status')).map(readToken)
  const members = await rowsOf('members')
  const retired = (await rowsOf('signing_keys')).filter((row) => row.retired_at_ms !== null)
  const [installation] = await rowsOf('installation')
  const [head] = await rowsOf('log_head')
  return {
    entries: readLog(String(installation?.epoch), head, await rowsOf('revocation_log')),
    tokens: new Map(tokens.map((token) => [token.id, token])),
    members: new Set(members.map((row) => `${row.business_id}/${row.user_id}`)),
    retiredKids: new Set(retired.map((row) => String(row.kid))),
  }
}

function readToken(row: Row): StoredToken {
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

function readLog(firstEpoch: string, head: Row | undefined, rows: readonly Row[]): Entry[] {
  let position = genesis(firstEpoch)
  const entries: Entry[] = []
  for (const row of rows.toSorted((one, other) => Number(one.seq) - Number(other.seq))) {
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
  assert.deepEqual({ epoch: head?.epoch, seq: Number(head?.seq), hash: head?.hash }, position)
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
