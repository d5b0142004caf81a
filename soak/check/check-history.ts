import type { RunHistory } from '../history/run-history.ts'
import type { Verification } from '../history/verification.ts'
import { type FaultCount, faultCounts } from './fault-counts.ts'
import { Progress } from './progress.ts'
import { type RevocationTimes, revocationTimes } from './revocation-times.ts'
import { Tally } from './tally.ts'
import { tokenBounds } from './token-bounds.ts'
import { verificationCheck } from './verification-check.ts'
import { Violations } from './violation.ts'

/** What a history proves. */
export interface Findings {
  /** Empty, or the promise was broken. */
  readonly violations: Violations
  readonly tally: Tally
  /** By number of the verifier. */
  readonly progress: ReadonlyMap<number, Progress>
  readonly revocations: RevocationTimes
  readonly faults: ReadonlyMap<string, FaultCount>
}

/**
 * Judges every verification of a history by what clients were told:
 *
 * - none that began after the end of a token was answered accepts it (G1), on any process, after whatever restart (G2);
 * - none rejects a token that was issued before it began and that nobody had begun to end when it was over (G4). That
 *   nothing could be decided is no rejection;
 * - every end of a token was answered in the end (G3 says when, which depends on the machine and is only measured).
 */
export function checkHistory(history: RunHistory): Findings {
  const bounds = tokenBounds(history)
  const violations = new Violations()
  const tally = new Tally()
  const progress = new Map<number, Progress>()

  for (const verifierHistory of history.verifiers) {
    const { verifier, incarnation, verifications } = verifierHistory
    const own = progress.get(verifier) ?? new Progress(history.sweepFromNs)
    progress.set(verifier, own)
    const judge = verificationCheck(bounds, verifierHistory)
    for (const verification of verifications) {
      tally.add(verification, bounds[verification.token]?.deadFromNs ?? Number.POSITIVE_INFINITY)
      own.add(verification)
      const violation = judge(verification)
      if (violation !== undefined) violations.add(violation, `${verifier}.${incarnation}: ${described(verification)}`)
    }
  }

  for (const { target, attempts } of history.endings) {
    if (attempts.some(({ outcome }) => outcome === 'answered')) continue
    violations.add('unanswered', `${JSON.stringify(target)}, ${attempts.length} attempts`)
  }
  return { violations, tally, progress, revocations: revocationTimes(history.endings), faults: faultCounts(history) }
}

function described({ token, beganNs, endedNs, outcome }: Verification): string {
  const { status, reason } = outcome
  return `token ${token} ${status}${reason === null ? '' : ` (${reason})`} from ${beganNs} to ${endedNs} ns`
}
