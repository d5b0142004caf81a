import type { DemoState, Revocation } from '../model/demo-state.ts'
import { isBroken, judgeRevocation } from '../model/judge-revocation.ts'
import { leaseLeftMs, waitLeftMs } from '../model/leases.ts'
import { duration, seconds } from './quantities.ts'

/** How long it is told that somebody woke. */
const WAKING_TOLD_MS = 6_000

/** What happens now and why, in two or three short sentences. */
export function news(state: DemoState, nowMs: number): string {
  const { isStarted, token, revocations, serviceFrozenMs } = state
  if (!isStarted || token === null) return 'Starting a service and eight verifier processes …'
  if (isBroken(revocations))
    return 'The promise is broken: somebody accepted a token after the 201, or refused a good one.'
  const revocation = revocations.at(-1)
  const frozen = frozenVerifier(state)
  if (revocation !== undefined && revocation.answered === null) return revoking(state, revocation, nowMs)
  if (serviceFrozenMs !== null) return serviceFrozen(state, nowMs)
  if (revocation?.token === token) return answered(state, revocation)
  if (frozen !== undefined) return verifierFrozen(frozen, nowMs)
  return woken(state, nowMs) ?? good(token)
}

function good(token: number): string {
  return (
    `Token ${token} is good, and all eight accept it. Press r to revoke it. Or press f, which freezes one of them, ` +
    'and then r: the answer has to wait for that one.'
  )
}

function revoking(state: DemoState, revocation: Revocation, nowMs: number): string {
  const { token } = revocation
  const frozen = frozenVerifier(state)
  if (state.serviceFrozenMs !== null) return `Revoking token ${token}: the service is frozen and cannot answer.`
  if (frozen === undefined) return `Revoking token ${token} …`
  return (
    `${judgeRevocation(revocation).refused} verifiers refuse token ${token} already. The 201 waits for verifier ` +
    `${frozen.verifier}, which cannot answer and may hold a lease for at most ${seconds(frozen.waitLeftMs(nowMs))} more.`
  )
}

function answered(state: DemoState, { token, sentMs, answered }: Revocation): string {
  if (answered === null) return ''
  const { atMs, applied, waitedOut } = answered
  const frozen = frozenVerifier(state)
  const why =
    waitedOut === 0 || frozen === undefined ? '' : ` Verifier ${frozen.verifier} has no lease left to accept it with.`
  return (
    `201 after ${duration(atMs - sentMs)} (rescind-applied: ${applied}, rescind-waited-out: ${waitedOut}). ` +
    `Token ${token} is dead, for good.${why}`
  )
}

interface Frozen {
  readonly verifier: number
  readonly waitLeftMs: (nowMs: number) => number
}

function frozenVerifier(state: DemoState): Frozen | undefined {
  for (const { verifier, frozenMs } of state.verifiers) {
    if (frozenMs !== null) return { verifier, waitLeftMs: (nowMs) => waitLeftMs(state, frozenMs, nowMs) }
  }
  return undefined
}

function verifierFrozen({ verifier, waitLeftMs }: Frozen, nowMs: number): string {
  const leftMs = waitLeftMs(nowMs)
  if (leftMs === 0) {
    return (
      `Verifier ${verifier} is frozen and its lease has ended: it has to ask before it accepts anything, so no ` +
      'revocation waits for it any more. Press f to wake it.'
    )
  }
  return (
    `Verifier ${verifier} is frozen (SIGSTOP) and still holds a lease. Press r now, and the 201 has to wait until ` +
    `that has ended for certain: at most ${seconds(leftMs)} more.`
  )
}

function serviceFrozen(state: DemoState, nowMs: number): string {
  const leftMs = Math.max(...state.verifiers.map((verifier) => leaseLeftMs(verifier, nowMs)))
  return leftMs > 0
    ? `The service is frozen (SIGSTOP). The verifiers go on by themselves while their leases last, ${seconds(leftMs)} more.`
    : 'The service is frozen, and the leases have ended: rather than guess, a verifier says that it cannot decide. Press s to let the service go on.'
}

/** Told until the verifier that woke last has nothing to show for it any more. */
function woken({ verifiers, revocations }: DemoState, nowMs: number): string | undefined {
  const last = verifiers.find(({ wokenMs }) => wokenMs !== null && nowMs - wokenMs < WAKING_TOLD_MS)
  if (last === undefined) return undefined
  const { verifier } = last
  const missed = revocations.filter(({ seen }) => typeof seen[verifier - 1]?.refusedAfterWakingMs === 'number').at(-1)
  const afterMs = missed?.seen[verifier - 1]?.refusedAfterWakingMs
  if (missed === undefined || typeof afterMs !== 'number')
    return `Verifier ${verifier} is awake, and has missed nothing.`
  return (
    `Verifier ${verifier} woke and refused token ${missed.token}, revoked in its sleep, ${duration(afterMs)} later. ` +
    'It did not accept it once: its lease had ended.'
  )
}
