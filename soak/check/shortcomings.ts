import type { RunHistory } from '../history/run-history.ts'
import type { Findings } from './check-history.ts'

/** What a run has to reach for its outcome to mean anything. */
export interface Required {
  readonly verifications: number
  readonly revocations: number
  /** Each has struck, and each with a revocation under way. */
  readonly faultKinds: readonly string[]
  readonly verifiers: number
}

/** What a run failed to exercise; empty when its findings mean something. */
export function shortcomings(history: RunHistory, findings: Findings, required: Required): string[] {
  const { tally, revocations, faults, progress } = findings
  const found: string[] = []
  const atLeast = (count: number, least: number, what: string) => {
    if (count < least) found.push(`${what}: ${count} instead of ${least}`)
  }
  atLeast(tally.verifications, required.verifications, 'verifications')
  atLeast(revocations.answered, required.revocations, 'revocations answered')
  atLeast(tally.soonAfter, 1, 'verifications right after a revocation was answered')
  atLeast(progress.size, required.verifiers, 'verifiers')
  for (const kind of required.faultKinds) {
    const { struck = 0, revocations: during = 0 } = faults.get(kind) ?? {}
    atLeast(struck, 1, `faults of kind ${kind}`)
    atLeast(during, 1, `revocations during faults of kind ${kind}`)
  }
  if (history.sweepFromNs === null) found.push('the tokens were not swept')
  for (const [verifier, own] of progress) {
    atLeast(own.accepted, 1, `accepted by verifier ${verifier}`)
    atLeast(own.rejected, 1, `rejected by verifier ${verifier}`)
    atLeast(own.swept, history.tokens.length, `tokens that verifier ${verifier} decided about in the sweep`)
  }
  for (const { kind, verifier, endedNs } of history.faults) {
    for (const [number, own] of progress) {
      if (verifier !== null && verifier !== number) continue
      if (!own.decidedAfter(endedNs)) found.push(`verifier ${number} decided nothing after a ${kind}`)
    }
  }
  return found
}
