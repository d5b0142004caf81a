import type { Row } from './row.ts'

const HEADINGS = ['what', 'measured', 'p50', 'p99', 'ratio', 'to', 'bar', '']

/** The rows as a table for a terminal. */
export function textTable(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cells)]
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const padded = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  const [head = '', ...body] = padded.map((line) => line.trimEnd())
  return [head, '-'.repeat(head.length), ...body].join('\n')
}

/** The rows as a Markdown table. */
export function markdownTable(rows: readonly Row[]): string {
  const line = (texts: readonly string[]) => `| ${texts.join(' | ')} |`
  const rule = ['---', '---:', '---:', '---:', '---:', '---', '---', '---']
  return [line(HEADINGS), line(rule), ...rows.map((row) => line(cells(row)))].join('\n')
}

function cells({ what, figure, p50, p99, ratio, against, bar, passed }: Row): string[] {
  const verdict = passed === undefined ? '' : passed ? 'pass' : 'MISS'
  return [what, figure ?? '', p50 ?? '', p99 ?? '', ratio ?? '', against ?? '', bar ?? '', verdict]
}
