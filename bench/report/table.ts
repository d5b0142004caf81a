import type { Row } from './row.ts'

export interface Table {
  readonly headings: readonly string[]
  readonly lines: readonly (readonly string[])[]
  /** The columns of figures, counted from 0. */
  readonly figures: readonly number[]
}

/** The rows of measurements as a table. */
export function tableOf(rows: readonly Row[]): Table {
  const headings = ['what', 'measured', 'p50', 'p99', 'ratio', 'to', 'bar', '']
  return { headings, lines: rows.map(cells), figures: [1, 2, 3, 4] }
}

/** A table for a terminal. */
export function textTable(table: Table): string {
  const lines = [table.headings, ...table.lines]
  const widths = table.headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const padded = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  const [head = '', ...body] = padded.map((line) => line.trimEnd())
  return [head, '-'.repeat(head.length), ...body].join('\n')
}

/** A table for a Markdown document. */
export function markdownTable({ headings, lines, figures }: Table): string {
  const line = (texts: readonly string[]) => `| ${texts.join(' | ')} |`
  const rule = headings.map((_, column) => (figures.includes(column) ? '---:' : '---'))
  return [line(headings), line(rule), ...lines.map(line)].join('\n')
}

function cells({ what, figure, p50, p99, ratio, against, bar, passed }: Row): string[] {
  const verdict = passed === undefined ? '' : passed ? 'pass' : 'MISS'
  return [what, figure ?? '', p50 ?? '', p99 ?? '', ratio ?? '', against ?? '', bar ?? '', verdict]
}
