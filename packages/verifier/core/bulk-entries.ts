import { decodeBase64url } from '@rescind/protocol'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { BulkEntry } from './revocation-set.ts'

/**
 * Bulk entries in a snapshot: how many, then each as a byte for its kind, its ids, and its cut-off if it has one. Those
 * that make no difference are left out and the others are in one order, so that sets that say the same are written alike.
 */

const KINDS: readonly BulkEntry['kind'][] = ['key_retired', 'business_revoked', 'member_revoked']

const KID_BYTES = 32

export function writeBulkEntries(writer: ByteWriter, entries: readonly BulkEntry[]): void {
  const written = entries.filter(hasEffect).sort(compare)
  writer.natural(written.length)
  for (const entry of written) {
    writer.byte(KINDS.indexOf(entry.kind))
    writeFields(writer, entry)
  }
}

/** @throws RangeError when {@link writeBulkEntries} did not write what is there */
export function readBulkEntries(reader: ByteReader): readonly BulkEntry[] {
  const entries: BulkEntry[] = []
  let previous: BulkEntry | undefined
  for (let left = reader.natural(); left > 0; left--) {
    const entry = readEntry(reader)
    const isInOrder = previous === undefined || compare(previous, entry) < 0
    if (!isInOrder || !hasEffect(entry)) throw new RangeError('A bulk entry has no place where it is')
    entries.push(entry)
    previous = entry
  }
  return entries
}

/** A kid that is no thumbprint is no key's, and no index is below 0. */
function hasEffect(entry: BulkEntry): boolean {
  if (entry.kind === 'key_retired') return decodeBase64url(entry.kid)?.length === KID_BYTES
  return entry.beforeIdx > 0
}

function compare(one: BulkEntry, other: BulkEntry): number {
  if (one.kind === 'key_retired' && other.kind === 'key_retired') return compareTexts(one.kid, other.kid)
  if (one.kind === 'business_revoked' && other.kind === 'business_revoked') {
    return compareTexts(one.businessId, other.businessId)
  }
  if (one.kind === 'member_revoked' && other.kind === 'member_revoked') {
    return compareTexts(one.businessId, other.businessId) || compareTexts(one.userId, other.userId)
  }
  return KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind)
}

function compareTexts(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

function writeFields(writer: ByteWriter, entry: BulkEntry): void {
  if (entry.kind === 'key_retired') {
    writer.base64url(entry.kid)
    return
  }
  writer.uuid(entry.businessId)
  if (entry.kind === 'member_revoked') writer.uuid(entry.userId)
  writer.natural(entry.beforeIdx)
}

function readEntry(reader: ByteReader): BulkEntry {
  const kind = KINDS[reader.byte()]
  switch (kind) {
    case 'key_retired':
      return { kind, kid: reader.base64url(KID_BYTES) }
    case 'business_revoked':
      return { kind, businessId: reader.uuid(), beforeIdx: reader.natural() }
    case 'member_revoked':
      return { kind, businessId: reader.uuid(), userId: reader.uuid(), beforeIdx: reader.natural() }
    default:
      throw new RangeError('A bulk entry is of no known kind')
  }
}
