import type { VerifierStatus } from '@rescind/verifier'

/** What a process with a verifier in it is told. */
export type VerifierOrder =
  /** Begin; first of all. */
  | ({ readonly type: 'start' } & VerifierStart)
  /** Know these tokens, by number, from now on. */
  | { readonly type: 'tokens'; readonly tokens: readonly (readonly [number: number, token: string])[] }
  /** Verify these more often than others, instead of those before. */
  | { readonly type: 'watch'; readonly tokens: readonly number[] }
  /** Decide once about every token that is known. */
  | { readonly type: 'sweep' }
  /** Stop verifying, keep what was recorded, say goodbye, and end. */
  | { readonly type: 'finish' }

/**
 * How a verifier comes to its verdicts: from what it follows, and while it has no lease it asks the service, or rejects;
 * or it always asks.
 */
export type Decides = 'or asks' | 'or rejects' | 'online'

export interface VerifierStart {
  readonly url: string
  /** With the scope `feed`. */
  readonly token: string
  readonly decides: Decides
  /** File that verifications are appended to. */
  readonly file: string
  /** Decimal, of the run's clock. */
  readonly originNs: string
}

/** What it tells. */
export type VerifierReport =
  /** Now and then. */
  | { readonly type: 'progress'; readonly verifications: number; readonly counters: VerifierStatus['counters'] }
  | { readonly type: 'swept' }
