import { createHash } from 'node:crypto'
import { MOVED_TABLES, type MovedRow, type MovedTable } from '../sql/moved-tables.ts'
import type { WholeInstallation } from '../whole-installation.ts'
import { type ExportHeader, encodeEnd, encodeHeader } from './export-header.ts'

/**
 * The lines of an export (JSON Lines): a header, then for each table a line that names its columns and one for each of
 * its rows, then a line with the SHA-256 of every byte before it. The same installation makes the same lines, whichever
 * database it is in.
 */
export async function* exportLines(whole: WholeInstallation, header: ExportHeader): AsyncGenerator<string, void, void> {
  const digest = createHash('sha256')
  for await (const text of linesBeforeEnd(whole, header)) {
    digest.update(text)
    yield text
  }
  yield `${encodeEnd({ counts: header.counts, sha256: digest.digest('hex') })}\n`
}

/** The SHA-256 that the export would have. */
export async function digestOf(whole: WholeInstallation, header: ExportHeader): Promise<string> {
  const digest = createHash('sha256')
  for await (const text of linesBeforeEnd(whole, header)) digest.update(text)
  return digest.digest('hex')
}

/** The line before the rows of a table. */
export function tableLine({ name, columns }: MovedTable): string {
  return JSON.stringify({ table: name, columns: Object.keys(columns) })
}

async function* linesBeforeEnd(whole: WholeInstallation, header: ExportHeader): AsyncGenerator<string, void, void> {
  yield `${encodeHeader(header)}\n`
  for (const table of MOVED_TABLES) {
    yield `${tableLine(table)}\n`
    for await (const rows of whole.rows(table)) yield rows.map(rowLine).join('')
  }
}

function rowLine(row: MovedRow): string {
  const values = row.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value))
  return `${JSON.stringify(values)}\n`
}
