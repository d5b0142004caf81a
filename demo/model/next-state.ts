import type { DemoEvent } from './demo-event.ts'
import type { DemoState, Revocation, Seen, VerifierState } from './demo-state.ts'
import type { TokenSeen, VerifierReport } from './verifier-report.ts'

/** The state after an event. */
export function nextState(state: DemoState, event: DemoEvent): DemoState {
  switch (event.type) {
    case 'started':
      return { ...state, isStarted: true }
    case 'issued':
      return { ...state, token: event.token }
    case 'reported':
      return reported(state, event.verifier, event.report)
    case 'revoking': {
      const { token, atMs } = event
      const revocation = { token, sentMs: atMs, answered: null, seen: state.verifiers.map(() => undefined) }
      return { ...state, revocations: [...state.revocations, revocation] }
    }
    case 'answered': {
      const { token, atMs, answer } = event
      const answered = { atMs, ...answer }
      return {
        ...state,
        revocations: state.revocations.map((each) => (each.token === token ? { ...each, answered } : each)),
      }
    }
    case 'frozen':
      return event.process === 'service'
        ? { ...state, serviceFrozenMs: event.atMs }
        : withVerifier(state, event.process, { frozenMs: event.atMs })
    case 'woken':
      return event.process === 'service'
        ? { ...state, serviceFrozenMs: null }
        : withVerifier(state, event.process, { frozenMs: null, wokenMs: event.atMs })
  }
}

function reported(state: DemoState, verifier: number, report: VerifierReport): DemoState {
  const wokenMs = state.verifiers[verifier - 1]?.wokenMs ?? null
  const revocations = state.revocations.map((revocation) => {
    const seen = report.tokens.find(({ token }) => token === revocation.token)
    return seen === undefined ? revocation : withSeen(revocation, verifier, seen, wokenMs)
  })
  return { ...withVerifier(state, verifier, { report }), revocations }
}

function withSeen(revocation: Revocation, verifier: number, seen: TokenSeen, wokenMs: number | null): Revocation {
  const before = revocation.seen[verifier - 1]
  // It may be frozen and woken again later: what counts is how it was when it refused first.
  const hasRefused = typeof before?.firstRefusedMs === 'number'
  const refusedAfterWakingMs = hasRefused ? before.refusedAfterWakingMs : afterWaking(revocation, seen, wokenMs)
  const now: Seen = { ...seen, refusedAfterWakingMs }
  return { ...revocation, seen: revocation.seen.with(verifier - 1, now) }
}

function afterWaking({ sentMs }: Revocation, { firstRefusedMs }: TokenSeen, wokenMs: number | null): number | null {
  if (firstRefusedMs === null || wokenMs === null) return null
  return sentMs < wokenMs && wokenMs <= firstRefusedMs ? firstRefusedMs - wokenMs : null
}

function withVerifier(state: DemoState, verifier: number, change: Partial<VerifierState>): DemoState {
  const { verifiers } = state
  return { ...state, verifiers: verifiers.map((each) => (each.verifier === verifier ? { ...each, ...change } : each)) }
}
