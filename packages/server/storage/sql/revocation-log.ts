import { decodeEntryBody, type Entry, type EntryBody, encodeEntryBody, type Position } from '@rescind/protocol'
import type { LogHeadTable, RevocationLogTable } from './schema.ts'
import { all, command, type NoArguments, type Statement, UnexpectedResult } from './statement.ts'

type Row = { [Column in keyof RevocationLogTable]: RevocationLogTable[Column] }

/** The last entry that is committed. Moves with the entry that is inserted. */
export const head: Statement<NoArguments, Position> = {
  build: (db) => db.selectFrom('log_head').select(['epoch', 'seq', 'hash']),
  result: ([row]) => decodeHead(row as Pick<LogHeadTable, 'epoch' | 'seq' | 'hash'> | undefined),
}

/** The entries after `seq`, in order. @throws UnexpectedResult from its result, for an entry that cannot be read */
export const entriesAfter = all<{ seq: number; limit: number }, Row, Entry>(
  (db, args) =>
    db.selectFrom('revocation_log').selectAll().where('seq', '>', args.seq).orderBy('seq').limit(args.limit),
  decodeEntry,
)

function readBody({ seq, body }: Row): EntryBody {
  try {
    return decodeEntryBody(body)
  } catch (cause) {
    throw new UnexpectedResult(`Entry ${seq} of the revocation log cannot be read; it is damaged or newer.`, { cause })
  }
}

export const insertEntry = command<Row>((db, args) =>
  db.insertInto('revocation_log').values({
    seq: args.seq,
    kind: args.kind,
    body: args.body,
    at_ms: args.at_ms,
    prev_hash: args.prev_hash,
    hash: args.hash,
  }),
)

export function encodeEntry({ seq, atMs, body, prevHash, hash }: Entry): Row {
  return { seq, kind: body.kind, body: encodeEntryBody(body), at_ms: atMs, prev_hash: prevHash, hash }
}

function decodeEntry(row: Row): Entry {
  return { seq: row.seq, atMs: row.at_ms, body: readBody(row), prevHash: row.prev_hash, hash: row.hash }
}

/** @throws Error when there is no head: no installation was made yet */
export function decodeHead(row: Pick<LogHeadTable, 'epoch' | 'seq' | 'hash'> | undefined): Position {
  if (row === undefined) throw new Error('The revocation log begins with the installation, and there is none yet.')
  return { epoch: row.epoch, seq: row.seq, hash: row.hash }
}
