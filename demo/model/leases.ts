import type { DemoState, VerifierState } from './demo-state.ts'

/** The part of its own lease that the service grants from, and that a verifier uses of a grant; see `docs/protocol.md`. */
const SHARE = 0.8

/** How much longer a verifier may decide alone, by its last report; an upper bound while it is frozen. */
export function leaseLeftMs({ report }: VerifierState, nowMs: number): number {
  if (report === null) return 0
  return Math.max(0, report.leaseLeftMs - (nowMs - report.atMs))
}

/** How much longer, at most, the service waits for the lease of a frozen verifier to have ended for certain. */
export function waitLeftMs({ leaseMs }: DemoState, frozenMs: number, nowMs: number): number {
  return Math.max(0, frozenMs + SHARE * leaseMs - nowMs)
}
