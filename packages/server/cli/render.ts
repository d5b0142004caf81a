/**
 * Answers as text for people. Names and reasons were typed by others: control and formatting characters in them are
 * shown as escapes, so they cannot move the cursor or recolour the terminal.
 */

type Fields = Readonly<Record<string, unknown>>

/** One field a line, names aligned. */
export function renderRecord(record: Fields): string {
  const width = Math.max(0, ...Object.keys(record).map((name) => name.length))
  return lines(Object.entries(record).map(([name, value]) => `${name.padEnd(width)}  ${cell(value)}`))
}

/** One record a line below the names of its columns. */
export function renderTable(records: readonly Fields[], columns: readonly string[]): string {
  const rows = [columns, ...records.map((record) => columns.map((column) => cell(record[column])))]
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  return lines(rows.map((row) => row.map((text, index) => text.padEnd(widths[index] ?? 0)).join('  ')))
}

/** `text` with everything that a terminal would act upon shown as an escape. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`
  })
}

function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-'
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(cell).join(' ')
  return printable(typeof value === 'object' ? JSON.stringify(value) : String(value))
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text.trimEnd()}\n`).join('')
}
