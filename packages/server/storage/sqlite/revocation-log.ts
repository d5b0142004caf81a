import type { DatabaseSync } from 'node:sqlite'
import {
  decodeEntryBody,
  type Entry,
  type EntryBody,
  encodeEntryBody,
  nextEntry,
  type Position,
} from '@rescind/protocol'
import type { Selectable } from 'kysely'
import type { RevocationLogTable } from '../schema.ts'
import { sqlBuilder } from './sql-builder.ts'
import { type Placeholders, prepareCommand, prepareQuery } from './statement.ts'

/** The revocation log. Its head lives in the database alone, and moves with the entry that is inserted. */
export function revocationLogStatements(db: DatabaseSync) {
  const head = prepareQuery(db, () => sqlBuilder.selectFrom('log_head').select(['epoch', 'seq', 'hash']))
  const allAfter = prepareQuery(db, after)
  const firstAfter = prepareQuery(db, (args: Placeholders<{ seq: number; limit: number }>) =>
    after(args).limit(args.limit),
  )
  const insert = prepareCommand(db, (args: Placeholders<Selectable<RevocationLogTable>>) =>
    sqlBuilder.insertInto('revocation_log').values({
      seq: args.seq,
      kind: args.kind,
      body: args.body,
      at_ms: args.at_ms,
      prev_hash: args.prev_hash,
      hash: args.hash,
    }),
  )

  function readHead(): Position {
    const row = head.get({})
    if (row === undefined) throw new Error('The revocation log begins with the installation, and there is none yet.')
    return { epoch: row.epoch, seq: row.seq, hash: row.hash }
  }

  return {
    head: readHead,
    appendEntry(body: EntryBody, atMs: number): Entry {
      const entry = nextEntry(readHead(), body, atMs)
      const { seq, prevHash, hash } = entry
      insert.run({ seq, kind: body.kind, body: encodeEntryBody(body), at_ms: atMs, prev_hash: prevHash, hash })
      return entry
    },
    /** Every entry after `seq`, in order, read as they are asked for. */
    *entriesAfter(seq: number): Generator<Entry, void, void> {
      for (const row of allAfter.iterate({ seq })) yield decodeEntry(row)
    },
    firstEntriesAfter(seq: number, limit: number): Entry[] {
      return firstAfter.all({ seq, limit }).map(decodeEntry)
    },
  }
}

function after(args: Placeholders<{ seq: number }>) {
  return sqlBuilder.selectFrom('revocation_log').selectAll().where('seq', '>', args.seq).orderBy('seq')
}

function decodeEntry(row: Selectable<RevocationLogTable>): Entry {
  return { seq: row.seq, atMs: row.at_ms, body: decodeEntryBody(row.body), prevHash: row.prev_hash, hash: row.hash }
}
