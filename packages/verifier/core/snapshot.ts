import { hash } from 'node:crypto'
import { type Position, type PublicJwk, publicJwk } from '@rescind/protocol'
import { type BitmapPage, emptyPage, LAST_PAGE } from './bitmap.ts'
import { readBulkEntries, writeBulkEntries } from './bulk-entries.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import type { FormerEpoch } from './epochs.ts'
import { packPage, unpackPage } from './packed-page.ts'
import type { BulkEntry } from './revocation-set.ts'

/**
 * What a verifier has applied, in few bytes: the version of the format, the position, the former epochs, the keys, the
 * bulk entries, and the revoked indexes as packed pages. Verifiers that stand at one position and have the same keys, in
 * the same order, the same cut-offs and the same indexes have the same snapshot, on every machine.
 */

const VERSION = 2

const ALGORITHMS: readonly PublicJwk['alg'][] = ['EdDSA', 'ES256']

/** More than any log has: each epoch moves the index counter further ahead than a thousandth of the way there is. */
const MAX_FORMER_EPOCHS = 1_024

const COORDINATE_BYTES = 32
const HASH_BYTES = 32

/** The state of a verifier at a position. */
export interface Snapshot {
  readonly position: Position
  readonly bytes: Uint8Array
  /** Of the bytes, in lower-case hex. */
  readonly sha256: string
}

interface SnapshotContent {
  readonly position: Position
  /** Oldest first. */
  readonly formerEpochs: readonly FormerEpoch[]
  /** Oldest first, retired or not, each once. */
  readonly keys: readonly PublicJwk[]
  /** At most one for a subject; their order makes no difference. */
  readonly bulkEntries: readonly BulkEntry[]
  /** By number, each with something in it. */
  readonly pages: readonly BitmapPage[]
}

/** A snapshot that is whole and well-formed. Only {@link decodeSnapshot} makes one. */
export class DecodedSnapshot {
  readonly position: Position
  /** Those that ended before, oldest first. */
  readonly formerEpochs: readonly FormerEpoch[]
  /** Whether they are points of their curves shows when they are put to use. */
  readonly keys: readonly PublicJwk[]
  readonly bulkEntries: readonly BulkEntry[]
  /** Stays packed: a page can be a thousand times longer. */
  readonly #packedPages: Uint8Array

  /** @throws RangeError when {@link encodeSnapshot} did not write what there is to read */
  constructor(reader: ByteReader) {
    if (reader.byte() !== VERSION) throw new RangeError('The snapshot is of another version')
    this.position = { epoch: reader.uuid(), seq: reader.natural(), hash: reader.hex(HASH_BYTES) }
    this.formerEpochs = readFormerEpochs(reader, this.position.epoch)
    this.keys = readKeys(reader)
    this.bulkEntries = readBulkEntries(reader)
    // A copy: what is found sound here stays so, whatever becomes of the bytes it came in.
    this.#packedPages = new Uint8Array(reader.rest)
    checkPages(this.#packedPages)
  }

  /** The revoked indexes, by page number. Each page is unpacked when it is asked for. */
  pages(): Iterable<BitmapPage> {
    return readPages(this.#packedPages, emptyPage)
  }
}

/** @throws TypeError when an id is not a lower-case UUID */
export function encodeSnapshot({ position, formerEpochs, keys, bulkEntries, pages }: SnapshotContent): Snapshot {
  const writer = new ByteWriter()
  writer.byte(VERSION)
  writer.uuid(position.epoch)
  writer.natural(position.seq)
  writer.hex(position.hash)
  writeFormerEpochs(writer, formerEpochs)
  writeKeys(writer, keys)
  writeBulkEntries(writer, bulkEntries)
  writePages(writer, pages)
  const bytes = writer.finish()
  return { position, bytes, sha256: hash('sha256', bytes, 'hex') }
}

/**
 * Reads a snapshot. Takes time and memory in proportion to its length, whatever is in it.
 *
 * @returns `undefined` for everything that {@link encodeSnapshot} does not write. Never throws.
 */
export function decodeSnapshot(bytes: Uint8Array): DecodedSnapshot | undefined {
  try {
    return new DecodedSnapshot(new ByteReader(bytes))
  } catch {
    return undefined
  }
}

/** How many, then each with the index that ended it. */
function writeFormerEpochs(writer: ByteWriter, formerEpochs: readonly FormerEpoch[]): void {
  writer.natural(formerEpochs.length)
  for (const { epoch, beforeIdx } of formerEpochs) {
    writer.uuid(epoch)
    writer.natural(beforeIdx)
  }
}

function readFormerEpochs(reader: ByteReader, current: string): readonly FormerEpoch[] {
  const count = reader.natural()
  if (count > MAX_FORMER_EPOCHS) throw new RangeError('There are more epochs than a log can have')
  const known = new Set([current])
  return Array.from({ length: count }, () => {
    const epoch = reader.uuid()
    if (known.has(epoch)) throw new RangeError('An epoch is there twice')
    known.add(epoch)
    return { epoch, beforeIdx: reader.natural() }
  })
}

/** How many, then each as a byte for its algorithm and its coordinates. The kid follows from them. */
function writeKeys(writer: ByteWriter, keys: readonly PublicJwk[]): void {
  writer.natural(keys.length)
  for (const jwk of keys) {
    writer.byte(ALGORITHMS.indexOf(jwk.alg))
    writer.base64url(jwk.x)
    if (jwk.kty === 'EC') writer.base64url(jwk.y)
  }
}

function readKeys(reader: ByteReader): readonly PublicJwk[] {
  const keys = new Map<string, PublicJwk>()
  for (let left = reader.natural(); left > 0; left--) {
    const jwk = readKey(reader)
    if (keys.has(jwk.kid)) throw new RangeError('A key is there twice')
    keys.set(jwk.kid, jwk)
  }
  return [...keys.values()]
}

function readKey(reader: ByteReader): PublicJwk {
  const coordinate = () => reader.base64url(COORDINATE_BYTES)
  switch (ALGORITHMS[reader.byte()]) {
    case 'EdDSA':
      return publicJwk({ kty: 'OKP', crv: 'Ed25519', x: coordinate() })
    case 'ES256':
      return publicJwk({ kty: 'EC', crv: 'P-256', x: coordinate(), y: coordinate() })
    default:
      throw new RangeError('A key is of no known algorithm')
  }
}

/** How many, then each as the number of pages left out before it, and the packed page. */
function writePages(writer: ByteWriter, pages: readonly BitmapPage[]): void {
  writer.natural(pages.length)
  let next = 0
  for (const { number, words } of pages) {
    writer.natural(number - next)
    writer.bytes(packPage(words))
    next = number + 1
  }
}

/** @param wordsFor what the next page is unpacked into */
function* readPages(packed: Uint8Array, wordsFor: () => Int32Array): Generator<BitmapPage, void> {
  const reader = new ByteReader(packed)
  let next = 0
  for (let left = reader.natural(); left > 0; left--) {
    const number = next + reader.natural()
    const words = wordsFor()
    const length = unpackPage(reader.rest, words)
    if (length === undefined || number > LAST_PAGE) throw new RangeError('A page cannot be read')
    reader.skip(length)
    yield { number, words }
    next = number + 1
  }
  if (reader.rest.length > 0) throw new RangeError('Something follows the last page')
}

/** Reads them all into one place, so that it takes no memory for their number. */
function checkPages(packed: Uint8Array): void {
  const words = emptyPage()
  const pages = readPages(packed, () => words)
  while (pages.next().done !== true);
}
