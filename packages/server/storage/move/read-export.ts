import { type ColumnKind, MOVED_TABLES, type MovedRow, type MovedTableName } from '../sql/moved-tables.ts'
import type { Bindable } from '../sql/statement.ts'
import { StorageRefused } from '../storage.ts'
import { type Counts, decodeEnd, decodeHeader, type ExportHeader, FORMAT } from './export-header.ts'
import { tableLine } from './export-lines.ts'
import { NotLines, readLines } from './read-lines.ts'

type Table = (typeof MOVED_TABLES)[number]

/** What an export consists of, in its order: the header, rows of one table after the other, the end. */
export type ExportPart =
  | { readonly header: ExportHeader }
  | { readonly table: Table; readonly rows: readonly MovedRow[] }
  | { readonly sha256: string }

/**
 * Reads an export, some of it at a time. That it is whole and as it was written is only known when it has been read to its
 * end.
 *
 * @throws StorageRefused for a file that is missing, no export, of a newer format, damaged, cut off or edited
 */
export async function* readExport(path: string): AsyncGenerator<ExportPart, void, void> {
  const reader = new LineReader(path)
  try {
    for await (const some of readLines(path)) {
      if (some.last === undefined) yield* reader.read(some.lines)
      else yield reader.end(some.last, some.sha256)
    }
  } catch (error) {
    throw refusal(error, path)
  }
}

class LineReader {
  readonly #path: string
  #header: ExportHeader | undefined
  /** Of the table whose rows are being read. */
  #at = -1
  readonly #counts = new Map<MovedTableName, number>()
  #line = 0

  constructor(path: string) {
    this.#path = path
  }

  *read(lines: readonly string[]): Generator<ExportPart, void, void> {
    let rows: MovedRow[] = []
    for (const line of lines) {
      this.#line += 1
      const table = MOVED_TABLES[this.#at]
      if (this.#header === undefined) {
        this.#header = this.#readHeader(line)
        yield { header: this.#header }
      } else if (table !== undefined && line.startsWith('[')) {
        rows.push(this.#readRow(table, line))
      } else {
        if (table !== undefined) yield this.#counted(table, rows)
        rows = []
        this.#beginTable(line)
      }
    }
    const table = MOVED_TABLES[this.#at]
    if (table !== undefined) yield this.#counted(table, rows)
  }

  end(line: string, sha256: string): ExportPart {
    this.#line += 1
    if (this.#header === undefined) throw this.#noExport()
    const end = decodeEnd(line)
    if (end === undefined || this.#at < MOVED_TABLES.length - 1) {
      throw new StorageRefused(`The file ${this.#path} ends too early; copy it again from where it was written.`)
    }
    if (end.sha256 !== sha256 || !this.#hasCounted(end.counts) || !this.#hasCounted(this.#header.counts)) {
      throw new StorageRefused(
        `The file ${this.#path} is damaged or was edited: its last line does not go with the others; copy it again from where it was written.`,
      )
    }
    return { sha256 }
  }

  #readHeader(line: string): ExportHeader {
    const header = decodeHeader(line)
    if (header === undefined) throw this.#noExport()
    if (!('format' in header)) return header
    throw new StorageRefused(
      `The file ${this.#path} is an export of format ${header.format} and this program knows ${FORMAT}; use the program that wrote it.`,
    )
  }

  #beginTable(line: string): void {
    const next = MOVED_TABLES[this.#at + 1]
    if (next === undefined || line !== tableLine(next)) throw this.#damaged()
    this.#at += 1
    this.#counts.set(next.name, 0)
  }

  #readRow({ columns }: Table, line: string): MovedRow {
    const kinds: ColumnKind[] = Object.values(columns)
    const values = parseArray(line)
    if (values?.length !== kinds.length) throw this.#damaged()
    return kinds.map((kind, at) => this.#readValue(kind, values[at]))
  }

  #readValue(kind: ColumnKind, value: unknown): Bindable {
    if (value === null) return null
    if (kind === 'integer' && typeof value === 'number' && Number.isSafeInteger(value)) return value
    if (kind === 'text' && typeof value === 'string') return value
    if (kind === 'bytes' && typeof value === 'string') return new Uint8Array(Buffer.from(value, 'base64'))
    throw this.#damaged()
  }

  #counted(table: Table, rows: readonly MovedRow[]): ExportPart {
    this.#counts.set(table.name, (this.#counts.get(table.name) ?? 0) + rows.length)
    return { table, rows }
  }

  #hasCounted(counts: Counts): boolean {
    return MOVED_TABLES.every(({ name }) => counts[name] === this.#counts.get(name))
  }

  #noExport(): StorageRefused {
    return new StorageRefused(`The file ${this.#path} is no export of Rescind.`)
  }

  #damaged(): StorageRefused {
    return new StorageRefused(
      `The file ${this.#path} is damaged: line ${this.#line} is not what it should be; copy it again from where it was written.`,
    )
  }
}

function parseArray(line: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** By error code of the operating system. */
const REASONS: Record<string, string> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it does not exist',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
  EIO: 'its disk fails to read',
}

function refusal(error: unknown, path: string): unknown {
  if (error instanceof NotLines) {
    return new StorageRefused(
      `The file ${path} is no export of Rescind, or is damaged or cut off; copy it again from where it was written.`,
      { cause: error },
    )
  }
  const reason = error instanceof Error && 'code' in error ? REASONS[String(error.code)] : undefined
  return reason ? new StorageRefused(`The file ${path} cannot be read: ${reason}.`, { cause: error }) : error
}
