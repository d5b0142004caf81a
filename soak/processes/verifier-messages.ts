import type { VerifierOptions, VerifierStatus } from '@rescind/verifier'

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

export interface VerifierStart {
  readonly url: string
  /** With the scope `feed`. */
  readonly token: string
  readonly onLapse: NonNullable<VerifierOptions['onLapse']>
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
