import type { Line, Segment, Style } from './line.ts'

export interface Column {
  readonly title: string
  /** In characters, with the space in front. */
  readonly width: number
  readonly align?: 'left'
}

/** What is in a cell; a text alone has the style of its row. */
export type Cell = string | Segment

/** A heading. */
export function titles(columns: readonly Column[]): Line {
  return row(
    columns,
    columns.map(({ title }) => title),
    'dim',
  )
}

/** One line of a table. A text that does not fit moves the others: the columns are wide enough for what comes. */
export function row(columns: readonly Column[], cells: readonly Cell[], style?: Style): Line {
  return columns.map(({ width, align }, index) => {
    const cell = cells[index] ?? ''
    const { text, ...own } = typeof cell === 'string' ? { text: cell, ...(style !== undefined && { style }) } : cell
    return { ...own, text: ` ${align === 'left' ? text.padEnd(width - 1) : text.padStart(width - 1)}` }
  })
}
