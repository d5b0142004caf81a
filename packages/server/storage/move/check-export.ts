import {
  continues,
  decodeEntryBody,
  type Entry,
  type EntryBody,
  genesis,
  type Position,
  positionAfter,
} from '@rescind/protocol'
import type { SigningKeyRecord } from '../records.ts'
import { type MovedRow, type MovedTable, type NamedRow, namedRow } from '../sql/moved-tables.ts'
import { StorageRefused } from '../storage.ts'
import type { ExportHeader } from './export-header.ts'
import { IndexSet } from './index-set.ts'
import { readExport } from './read-export.ts'

/** An export of which everything is known to be in order that can be known without its master key. */
export interface CheckedExport {
  readonly path: string
  readonly header: ExportHeader
  readonly signingKeys: readonly SigningKeyRecord[]
  readonly sha256: string
}

/**
 * Reads an export to its end, and checks that it is whole, that its log is one chain from the beginning to the head that
 * it names, and that everything its log revokes is revoked in its tables.
 *
 * @throws StorageRefused when it is not
 */
export async function checkExport(path: string): Promise<CheckedExport> {
  const check = new Check(path)
  let header: ExportHeader | undefined
  for await (const part of readExport(path)) {
    if ('header' in part) header = part.header
    else if ('rows' in part) for (const row of part.rows) check.row(part.table, row)
    else if (header !== undefined) return { path, header, sha256: part.sha256, signingKeys: check.end(header) }
  }
  throw new Error('An export was read that has no end.')
}

class Check {
  readonly #path: string
  readonly #signingKeys: SigningKeyRecord[] = []
  #position: Position | undefined
  /** Those that the log revokes one by one, and no row was seen yet that says so. */
  readonly #revokedIdxs = new IndexSet()
  /** As above, of bulk revocations; by the number of the entry. */
  readonly #bulkSeqs = new IndexSet()

  constructor(path: string) {
    this.#path = path
  }

  row(table: MovedTable, values: MovedRow): void {
    switch (table.name) {
      case 'installation':
        this.#begin(String(namedRow(table, values).epoch))
        return
      case 'signing_keys':
        this.#signingKeys.push(readKey(namedRow(table, values)))
        return
      case 'revocation_log':
        this.#entry(namedRow(table, values))
        return
      case 'bulk_revocations':
        this.#bulkSeqs.delete(Number(namedRow(table, values).seq))
        return
      case 'tokens':
        this.#token(namedRow(table, values))
        return
    }
  }

  end({ head }: ExportHeader): readonly SigningKeyRecord[] {
    const { epoch, seq, hash } = this.#position ?? this.#refuse('it has no installation')
    if (epoch !== head.epoch || seq !== head.seq || hash !== head.hash) this.#refuse('its log does not end at its head')
    if (this.#revokedIdxs.size > 0 || this.#bulkSeqs.size > 0) {
      this.#refuse('its log revokes tokens that are not revoked in its tables')
    }
    return this.#signingKeys
  }

  #begin(epoch: string): void {
    if (this.#position) this.#refuse('it has two installations')
    this.#position = genesis(epoch)
  }

  #entry(row: NamedRow): void {
    const entry = this.#readEntry(row)
    if (this.#position === undefined || !continues(this.#position, entry)) {
      this.#refuse(`entry ${entry.seq} of its log does not continue the one before it`)
    }
    this.#position = positionAfter(this.#position, entry)
    this.#expect(entry.seq, entry.body)
  }

  #readEntry({ seq, at_ms, body, prev_hash, hash }: NamedRow): Entry {
    try {
      return {
        seq: Number(seq),
        atMs: Number(at_ms),
        body: decodeEntryBody(String(body)),
        prevHash: String(prev_hash),
        hash: String(hash),
      }
    } catch {
      this.#refuse(`entry ${seq} of its log cannot be read`)
    }
  }

  #expect(seq: number, body: EntryBody): void {
    switch (body.kind) {
      case 'token_revoked':
        this.#revokedIdxs.add(body.idx)
        return
      case 'business_revoked':
      case 'member_revoked':
      case 'key_retired':
        this.#bulkSeqs.add(seq)
        return
      case 'key_added':
      case 'epoch_opened':
        return
    }
  }

  #token({ idx, revoked_seq }: NamedRow): void {
    if (revoked_seq !== null) this.#revokedIdxs.delete(Number(idx))
  }

  #refuse(problem: string): never {
    throw new StorageRefused(`The file ${this.#path} cannot be used: ${problem}.`)
  }
}

function readKey({ jwk, sealed_private_key, created_at_ms, retired_at_ms }: NamedRow): SigningKeyRecord {
  return {
    jwk: JSON.parse(String(jwk)),
    sealedPrivateKey: sealed_private_key instanceof Uint8Array ? sealed_private_key : new Uint8Array(),
    createdAtMs: Number(created_at_ms),
    retiredAtMs: retired_at_ms === null ? null : Number(retired_at_ms),
  }
}
