import type { styleText } from 'node:util'

/** A piece of a line, and how it looks. */
export interface Segment {
  readonly text: string
  readonly style?: Style
}

/** What `styleText` of `node:util` takes. */
export type Style = Parameters<typeof styleText>[0]

/** Left to right. */
export type Line = readonly Segment[]

/** Adds a style to a text. */
export type Paint = (style: Style, text: string) => string

export function plain(text: string): Line {
  return [{ text }]
}

/** The line as text, cut where it would be wider than this. */
export function paintLine(line: Line, width: number, paint: Paint): string {
  let left = width
  return line
    .map(({ text, style }) => {
      const visible = text.slice(0, left)
      left -= visible.length
      return style === undefined || visible === '' ? visible : paint(style, visible)
    })
    .join('')
}

/** Breaks a text between words into lines that are not wider than this. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
