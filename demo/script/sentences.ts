import type { DemoState, Revocation } from '../model/demo-state.ts'
import { judgeRevocation } from '../model/judge-revocation.ts'
import { leaseLeftMs, waitLeftMs } from '../model/leases.ts'
import { duration, seconds, shortDuration, wholeNumber } from '../screen/quantities.ts'

/** How the verifiers do. */
export function loadSentence({ verifiers, token }: DemoState, nowMs: number): string {
  const reports = verifiers.flatMap(({ report }) => report ?? [])
  const speed = reports.reduce((total, { checksPerSecond }) => total + checksPerSecond, 0)
  const worst = (of: 'medianUs' | 'p99Us') => shortDuration(Math.max(...reports.map((report) => report[of] ?? 0)))
  const leases = verifiers.map((verifier) => leaseLeftMs(verifier, nowMs))
  return (
    `${verifiers.length} processes accept token ${token}: ${wholeNumber(speed)} checks/s in all, ` +
    `median up to ${worst('medianUs')}, p99 up to ${worst('p99Us')}; ` +
    `leases have ${seconds(Math.min(...leases))} to ${seconds(Math.max(...leases))} left`
  )
}

/** Why there may be no answer yet, when a verifier is frozen. */
export function waitingSentence(state: DemoState, nowMs: number): string | undefined {
  const frozen = state.verifiers.find(({ frozenMs }) => frozenMs !== null)
  if (frozen === undefined || frozen.frozenMs === null) return undefined
  const leftMs = waitLeftMs(state, frozen.frozenMs, nowMs)
  return `waiting for verifier ${frozen.verifier}, which is frozen and may hold a lease for at most ${seconds(leftMs)}`
}

/** What became of a revocation that was answered. */
export function revocationSentences(revocation: Revocation, verifiers: number): readonly string[] {
  const { sentMs, answered } = revocation
  if (answered === null) return ['no answer']
  const { atMs, applied, waitedOut } = answered
  const { acceptedLater, refused, refusedWithinMs, refusedOnWaking, lastAcceptMs } = judgeRevocation(revocation)
  const awake = refused - refusedOnWaking
  return [
    `201 after ${duration(atMs - sentMs)}: applied by ${applied} verifiers, ${waitedOut} waited out`,
    `refused by ${awake} of ${verifiers} within ${duration(refusedWithinMs ?? 0)}; ` +
      `the last check that accepted it began ${duration(atMs - sentMs - (lastAcceptMs ?? 0))} before the 201`,
    acceptedLater.length === 0
      ? 'accepted after the 201: never'
      : `ACCEPTED AFTER THE 201: by verifier ${acceptedLater.join(', ')}`,
  ]
}

/** What a verifier did about a token that was revoked while it was frozen. */
export function wakingSentence({ token, seen }: Revocation, verifier: number): string {
  const afterMs = seen[verifier - 1]?.refusedAfterWakingMs ?? null
  return afterMs === null
    ? `verifier ${verifier} has refused token ${token} before it was frozen`
    : `verifier ${verifier} refused token ${token} ${duration(afterMs)} after waking`
}

/** What it came to. */
export function summary({ verifiers, revocations }: DemoState): readonly string[] {
  const sum = (of: 'accepted' | 'refused') => verifiers.reduce((total, { report }) => total + (report?.[of] ?? 0), 0)
  const judgements = revocations.map(judgeRevocation)
  const broken = (of: 'acceptedLater' | 'refusedEarlier') => judgements.filter((each) => each[of].length > 0).length
  return [
    `${revocations.length} revocations; ${wholeNumber(sum('accepted'))} times yes, ${wholeNumber(sum('refused'))} times no`,
    `accepted after its 201: ${broken('acceptedLater')} tokens`,
    `refused before it was revoked: ${broken('refusedEarlier')} tokens`,
  ]
}
