import type { DemoState, Revocation, VerifierState } from '../model/demo-state.ts'
import { leaseLeftMs } from '../model/leases.ts'
import { type Line, plain, type Segment } from './line.ts'
import { duration, seconds, shortDuration, wholeNumber } from './quantities.ts'
import { type Cell, type Column, row, titles } from './table.ts'

const COLUMNS: readonly Column[] = [
  { title: 'process', width: 8, align: 'left' },
  { title: 'now', width: 11, align: 'left' },
  { title: 'checks/s', width: 9 },
  { title: 'median', width: 8 },
  { title: 'p99', width: 8 },
  { title: 'lease left', width: 11 },
  { title: 'last yes', width: 10 },
  { title: 'first no', width: 15 },
]

/** A line for each verifier: what it does, and when it stopped accepting the token that was revoked last. */
export function verifierTable(state: DemoState, nowMs: number): readonly Line[] {
  const revocation = state.revocations.at(-1)
  return [
    above(revocation),
    titles(COLUMNS),
    ...state.verifiers.map((verifier) => row(COLUMNS, cells(state, verifier, revocation, nowMs))),
  ]
}

/** When the 201 came stands above what it has to come after: two columns of times since the request. */
function above(revocation: Revocation | undefined): Line {
  if (revocation === undefined) return plain('')
  const { token, sentMs, answered } = revocation
  const when = answered === null ? '…' : duration(answered.atMs - sentMs)
  const width = COLUMNS.reduce((total, column) => total + column.width, 0)
  return [{ text: `token ${token} revoked: 201 after ${when}`.padStart(width), style: 'bold' }]
}

function cells(
  state: DemoState,
  verifier: VerifierState,
  revocation: Revocation | undefined,
  nowMs: number,
): readonly Cell[] {
  const { report, frozenMs } = verifier
  const speed = frozenMs === null ? report : null
  return [
    `${verifier.verifier}`,
    doing(state, verifier),
    speed === null ? '–' : wholeNumber(speed.checksPerSecond),
    speed?.medianUs == null ? '–' : shortDuration(speed.medianUs),
    speed?.p99Us == null ? '–' : shortDuration(speed.p99Us),
    lease(verifier, nowMs),
    ...measured(revocation, verifier),
  ]
}

/** What it would say to a request that comes now. */
function doing({ token }: DemoState, { report, frozenMs }: VerifierState): Segment {
  if (frozenMs !== null) return { text: 'FROZEN', style: ['bold', 'cyan'] }
  switch (report?.tokens.find((seen) => seen.token === token)?.verdict) {
    case 'valid':
      return { text: 'accepts', style: 'green' }
    case 'rejected':
      return { text: 'refuses', style: ['bold', 'red'] }
    case 'undecided':
      return { text: 'undecided', style: 'yellow' }
    case undefined:
      return { text: '…', style: 'dim' }
  }
}

function lease(verifier: VerifierState, nowMs: number): Cell {
  if (verifier.report === null) return '–'
  const leftMs = leaseLeftMs(verifier, nowMs)
  if (leftMs === 0) return { text: 'ended', style: 'yellow' }
  return verifier.frozenMs === null ? seconds(leftMs) : { text: seconds(leftMs), style: 'cyan' }
}

/** Both in milliseconds since the request to revoke was sent. */
function measured(revocation: Revocation | undefined, { verifier, frozenMs }: VerifierState): readonly Cell[] {
  if (revocation === undefined) return []
  const { sentMs, answered, seen } = revocation
  const { lastAcceptBeganMs = null, firstRefusedMs = null, refusedAfterWakingMs = null } = seen[verifier - 1] ?? {}
  const isLate = answered !== null && lastAcceptBeganMs !== null && lastAcceptBeganMs > answered.atMs
  const lastYes =
    lastAcceptBeganMs === null || (firstRefusedMs === null && !isLate) ? '' : duration(lastAcceptBeganMs - sentMs)
  const yes: Cell = isLate ? { text: lastYes, style: ['bold', 'red'] } : lastYes
  if (refusedAfterWakingMs !== null) return [yes, `woke + ${duration(refusedAfterWakingMs)}`]
  if (firstRefusedMs !== null) return [yes, duration(firstRefusedMs - sentMs)]
  return [yes, frozenMs === null ? '…' : 'asleep']
}
