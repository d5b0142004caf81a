import type { DemoState } from '../model/demo-state.ts'
import { type Line, type Paint, paintLine, plain, wrap } from './line.ts'
import { news } from './news.ts'
import { revocationTable, tally } from './revocation-table.ts'
import { verifierTable } from './verifier-table.ts'

export interface Size {
  readonly columns: number
  readonly rows: number
}

const ABOUT = [
  ' Eight processes check an API token, each by itself, without asking the service.',
  ' Once the service has answered a revocation with 201, none accepts that token.',
]

const NEWS_LINES = 2

/** What the news leaves free at either side. */
const MARGIN = 1

const MOST_REVOCATIONS = 8

/** Lines with neither revocations nor space between the parts. */
const LEAST_ROWS = 17

/** The screen, as text that is nowhere wider than the terminal, and a line less high. */
export function render(state: DemoState, nowMs: number, { columns, rows }: Size, paint: Paint): string {
  // The cursor stands below the last line.
  const free = rows - 1 - LEAST_ROWS
  const gaps = Math.max(0, Math.min(3, free - 1))
  const gap = (number: number): readonly Line[] => (number <= gaps ? [plain('')] : [])
  const revocations = Math.max(0, Math.min(MOST_REVOCATIONS, free - gaps))
  const lines: readonly Line[] = [
    ...ABOUT.map((text): Line => [{ text, style: 'bold' }]),
    ...verifierTable(state, nowMs),
    ...gap(1),
    ...newsLines(state, nowMs, columns),
    ...gap(2),
    ...revocationTable(state, revocations),
    ...Array.from({ length: Math.max(0, revocations - state.revocations.length) }, () => plain('')),
    tally(state),
    ...gap(3),
    keys(state),
  ]
  return lines
    .slice(0, Math.max(1, rows - 1))
    .map((line) => paintLine(line, columns, paint))
    .join('\n')
}

function newsLines(state: DemoState, nowMs: number, columns: number): readonly Line[] {
  const texts = wrap(news(state, nowMs), columns - 2 * MARGIN)
  return Array.from(
    { length: NEWS_LINES },
    (_, index): Line => [{ text: ' '.repeat(MARGIN) + (texts[index] ?? ''), style: 'yellow' }],
  )
}

function keys({ verifiers, serviceFrozenMs }: DemoState): Line {
  const frozen = verifiers.find(({ frozenMs }) => frozenMs !== null)
  const key = (name: string, does: string) => [{ text: ` ${name} `, style: 'inverse' as const }, { text: ` ${does}  ` }]
  return [
    { text: ' ' },
    ...key('r', 'revoke the token'),
    ...key('f', frozen === undefined ? 'freeze a verifier' : `wake verifier ${frozen.verifier}`),
    ...key('s', serviceFrozenMs === null ? 'freeze the service' : 'wake the service'),
    ...key('q', 'quit'),
  ]
}
