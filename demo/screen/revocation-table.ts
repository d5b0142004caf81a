import type { DemoState, Revocation } from '../model/demo-state.ts'
import { judgeRevocation } from '../model/judge-revocation.ts'
import type { Line } from './line.ts'
import { duration, wholeNumber } from './quantities.ts'
import { type Cell, type Column, row, titles } from './table.ts'

const COLUMNS: readonly Column[] = [
  { title: 'revoked', width: 10, align: 'left' },
  { title: '201 after', width: 10 },
  { title: 'applied', width: 9 },
  { title: 'waited out', width: 12 },
  { title: 'first refused', width: 22 },
  { title: 'accepted later', width: 17 },
]

/** The last revocations, oldest first, and a line of how it went so far. */
export function revocationTable(state: DemoState, rows: number): readonly Line[] {
  const recent = rows > 0 ? state.revocations.slice(-rows) : []
  return [titles(COLUMNS), ...recent.map((revocation) => row(COLUMNS, cells(revocation, state.verifiers.length)))]
}

/** All verdicts since the beginning. */
export function tally({ verifiers, revocations }: DemoState): Line {
  const sum = (of: 'accepted' | 'refused') => verifiers.reduce((total, { report }) => total + (report?.[of] ?? 0), 0)
  const later = revocations.filter((each) => judgeRevocation(each).acceptedLater.length > 0).length
  return [
    { text: ` Yes ${wholeNumber(sum('accepted'))} times, no ${wholeNumber(sum('refused'))} times. Yes after a 201: ` },
    later === 0 ? { text: 'never.', style: 'green' } : { text: `FOR ${later} TOKENS.`, style: ['bold', 'red'] },
  ]
}

function cells(revocation: Revocation, verifiers: number): readonly Cell[] {
  const { token, sentMs, answered } = revocation
  const { acceptedLater } = judgeRevocation(revocation)
  return [
    `token ${token}`,
    answered === null ? '…' : duration(answered.atMs - sentMs),
    answered === null ? '…' : `${answered.applied}`,
    answered === null ? '…' : `${answered.waitedOut}`,
    refusals(revocation, verifiers),
    acceptedLater.length === 0
      ? { text: answered === null ? '…' : 'by none', style: 'green' }
      : { text: `BY ${acceptedLater.length} OF ${verifiers}`, style: ['bold', 'red'] },
  ]
}

/** How many refused it, and how long after the request; those that slept refused it when they woke. */
function refusals(revocation: Revocation, verifiers: number): string {
  const { refused, refusedWithinMs, refusedOnWaking } = judgeRevocation(revocation)
  if (refusedWithinMs === null) return `${refused} of ${verifiers}`
  const awake = refused - refusedOnWaking
  const within = `${awake} in ${duration(refusedWithinMs)}`
  return refusedOnWaking === 0 ? within : `${within}, ${refusedOnWaking} waking`
}
