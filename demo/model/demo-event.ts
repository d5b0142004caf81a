import type { VerifierReport } from './verifier-report.ts'

/** Something that took place among the processes. Times are {@link machineMs}; verifiers and tokens are numbered from 1. */
export type DemoEvent =
  /** Everything runs. */
  | { readonly type: 'started' }
  | { readonly type: 'reported'; readonly verifier: number; readonly report: VerifierReport }
  /** From now on the verifiers are given this token under load. */
  | { readonly type: 'issued'; readonly token: number }
  /** The request to revoke the token is sent. */
  | { readonly type: 'revoking'; readonly token: number; readonly atMs: number }
  | { readonly type: 'answered'; readonly token: number; readonly atMs: number; readonly answer: RevocationAnswer }
  | { readonly type: 'frozen'; readonly process: number | 'service'; readonly atMs: number }
  | { readonly type: 'woken'; readonly process: number | 'service'; readonly atMs: number }

/** What the headers of the 201 say. */
export interface RevocationAnswer {
  /** Verifiers that had applied the revocation. */
  readonly applied: number
  /** Verifiers that could not be reached, and whose leases had to end. */
  readonly waitedOut: number
}
