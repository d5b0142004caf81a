import type { Position } from '@rescind/protocol'
import { nextIdx } from '../sql/idx-counter.ts'
import { MOVED_TABLES, type MovedTableName } from '../sql/moved-tables.ts'
import { head } from '../sql/revocation-log.ts'
import type { WholeInstallation } from '../whole-installation.ts'

/** Of the files that this program writes, and the only one that it reads. */
export const FORMAT = 1

/** Rows by table. */
export type Counts = Readonly<Record<MovedTableName, number>>

/** What an export says of itself first. */
export interface ExportHeader {
  /** Of the database that was exported. */
  readonly schemaVersion: number
  readonly createdAtMs: number
  /** Where the log ends. */
  readonly head: Position
  /** The index that the next token gets. */
  readonly nextIdx: number
  readonly counts: Counts
}

/** @param about what the database does not know of the file */
export async function describeInstallation(
  whole: WholeInstallation,
  about: Pick<ExportHeader, 'schemaVersion' | 'createdAtMs'>,
): Promise<ExportHeader> {
  const counts: Partial<Record<MovedTableName, number>> = {}
  for (const table of MOVED_TABLES) counts[table.name] = await whole.count(table)
  return {
    ...about,
    head: await whole.run(head, {}),
    nextIdx: await whole.run(nextIdx, {}),
    counts: counts as Counts,
  }
}

export function encodeHeader({ schemaVersion, createdAtMs, head, nextIdx, counts }: ExportHeader): string {
  return JSON.stringify({
    rescind_export: FORMAT,
    schema_version: schemaVersion,
    created_at: new Date(createdAtMs).toISOString(),
    epoch: head.epoch,
    head: { seq: head.seq, hash: head.hash },
    next_idx: nextIdx,
    counts,
  })
}

/** @returns `undefined` for what is no header; of one of another format, that format */
export function decodeHeader(line: string): ExportHeader | { readonly format: unknown } | undefined {
  const value = parseObject(line)
  if (value?.rescind_export === undefined) return undefined
  if (value.rescind_export !== FORMAT) return { format: value.rescind_export }
  const { head, counts } = value
  const createdAtMs = Date.parse(String(value.created_at))
  if (!isObject(head) || !isObject(counts) || Number.isNaN(createdAtMs)) return undefined
  const header: ExportHeader = {
    schemaVersion: Number(value.schema_version),
    createdAtMs,
    head: { epoch: String(value.epoch), seq: Number(head.seq), hash: String(head.hash) },
    nextIdx: Number(value.next_idx),
    counts: decodeCounts(counts),
  }
  // Written again it is the same: nothing else is in it, and nothing was bent.
  return encodeHeader(header) === line ? header : undefined
}

/** The last line. */
export interface ExportEnd {
  readonly counts: Counts
  /** Of every byte before this line, in hexadecimal. */
  readonly sha256: string
}

export function encodeEnd({ counts, sha256 }: ExportEnd): string {
  return JSON.stringify({ end: true, counts, sha256 })
}

/** @returns `undefined` for what is no last line */
export function decodeEnd(line: string): ExportEnd | undefined {
  const value = parseObject(line)
  if (value?.end !== true || !isObject(value.counts)) return undefined
  const end = { counts: decodeCounts(value.counts), sha256: String(value.sha256) }
  return encodeEnd(end) === line ? end : undefined
}

function decodeCounts(value: Readonly<Record<string, unknown>>): Counts {
  return Object.fromEntries(MOVED_TABLES.map(({ name }) => [name, Number(value[name])])) as Counts
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
